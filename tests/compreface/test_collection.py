"""Subjects and their examples: listed, renamed, merged, deleted."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.compreface_calls import Caller, address_of
from harness.console_running import running_console


def test_an_image_id_is_a_uuid_that_stays(door: Caller, people, client, gallery) -> None:
    image_id = door.add("ada", people.ada)
    assert str(uuid.UUID(image_id)) == image_id
    listed = door.get("/recognition/faces").body["faces"]
    assert listed == [{"image_id": image_id, "subject": "ada"}]
    (identity,) = client.identities(gallery=gallery)
    (template,) = client.templates(identity.identity_id, gallery=gallery)
    assert template.template_id == uuid.UUID(image_id).hex


def test_ids_of_identities_tell_no_name(door: Caller, people, client, gallery) -> None:
    door.add("ada", people.ada)
    (identity,) = client.identities(gallery=gallery)
    assert identity.display_name == "ada"
    assert "ada" not in identity.identity_id


def test_people_of_other_clients_are_subjects_too(door: Caller, people, client, gallery) -> None:
    client.enroll("4711", people.ada, gallery=gallery, display_name="Ada")
    assert door.subjects() == ["Ada"]
    (face,) = door.recognize(people.ada_again)
    assert face["subjects"][0]["subject"] == "Ada"


def test_examples_are_listed_by_pages(door: Caller, people) -> None:
    ids = [door.add("ada", people.ada) for _ in range(3)]
    ids += [door.add("bo", people.bo) for _ in range(2)]
    pages = [door.get(f"/recognition/faces?page={page}&size=2").body for page in range(4)]
    assert [len(page["faces"]) for page in pages] == [2, 2, 1, 0]
    listed = [face["image_id"] for page in pages for face in page["faces"]]
    assert sorted(listed) == sorted(ids)
    assert pages[1]["page_number"] == 1
    assert {(page["page_size"], page["total_pages"], page["total_elements"]) for page in pages} == {
        (2, 3, 5)
    }
    of_bo = door.get("/recognition/faces?subject=bo").body
    assert (of_bo["page_size"], of_bo["total_pages"], of_bo["total_elements"]) == (20, 1, 2)
    assert {face["subject"] for face in of_bo["faces"]} == {"bo"}
    assert door.get("/recognition/faces?subject=eve").body["total_elements"] == 0


@pytest.mark.parametrize("query", ["page=-1", "size=0", "page=x"])
def test_a_page_that_cannot_be_is_refused(door: Caller, query: str) -> None:
    answer = door.get(f"/recognition/faces?{query}")
    assert (answer.status, answer.body["code"]) == (400, 26)


def test_a_subject_is_renamed(door: Caller, people) -> None:
    door.add("ada", people.ada)
    assert door.send("/recognition/subjects/ada", {"subject": "Ada L."}, "PUT") == (
        200,
        {"updated": True},
    )
    assert door.subjects() == ["Ada L."]
    (face,) = door.recognize(people.ada_again)
    assert face["subjects"][0]["subject"] == "Ada L."
    door.add("ada", people.bo)  # the old name is free: this is someone else
    assert sorted(door.subjects()) == ["Ada L.", "ada"]


def test_the_case_of_a_name_can_be_changed(door: Caller) -> None:
    door.send("/recognition/subjects", {"subject": "ada"})
    door.send("/recognition/subjects/ada", {"subject": "Ada"}, "PUT")
    assert door.subjects() == ["Ada"]


def test_a_subject_renamed_to_another_is_one_with_it(door: Caller, people) -> None:
    ada = door.add("ada", people.ada)
    eve = door.add("eve", people.ada)  # the same person: recognized as neither
    assert door.recognize(people.ada_again)[0]["subjects"][0]["similarity"] < 0.4
    door.send("/recognition/subjects/eve", {"subject": "ADA"}, "PUT")
    assert door.subjects() == ["ada"]
    (best,) = door.recognize(people.ada_again, "?prediction_count=5")[0]["subjects"]
    assert best["subject"] == "ada"
    assert best["similarity"] >= 0.6
    faces = door.get("/recognition/faces?subject=ada").body["faces"]
    assert {face["image_id"] for face in faces} == {ada, eve}
    assert door.delete(f"/recognition/faces/{eve}").body["subject"] == "ada"
    assert door.subjects() == ["ada"]
    assert door.delete("/recognition/subjects/ada").body == {"subject": "ada"}
    assert door.get("/recognition/faces").body["total_elements"] == 0


def test_who_is_not_there_cannot_be_renamed_or_deleted(door: Caller) -> None:
    for answer in (
        door.send("/recognition/subjects/ada", {"subject": "bo"}, "PUT"),
        door.delete("/recognition/subjects/ada"),
    ):
        assert (answer.status, answer.body["code"]) == (404, 42)
    # Viseron deletes everyone whom it is about to enroll.
    assert door.delete("/recognition/faces?subject=ada") == (200, {"deleted": 0})


@pytest.mark.parametrize("value", [{}, [], {"subject": ""}, {"subject": " "}, {"subject": 5}])
def test_a_subject_without_a_name_is_refused(door: Caller, value) -> None:
    answer = door.send("/recognition/subjects", value)
    assert (answer.status, answer.body["code"]) == (400, 33)
    assert door.subjects() == []


@pytest.mark.parametrize("name", ["a\u202eb", "x" * 300])
def test_a_name_that_the_service_refuses_is_refused(door: Caller, name: str) -> None:
    answer = door.send("/recognition/subjects", {"subject": name})
    assert (answer.status, answer.body["code"]) == (400, 26)


def test_a_name_may_hold_a_slash(door: Caller) -> None:
    door.send("/recognition/subjects", {"subject": "a/b c"})
    assert door.delete("/recognition/subjects/a%2Fb%20c").body == {"subject": "a/b c"}


def test_listed_examples_are_deleted(door: Caller, people) -> None:
    ids = [door.add("ada", people.ada), door.add("ada", people.ada), door.add("bo", people.bo)]
    missing = str(uuid.uuid4())
    answer = door.send("/recognition/faces/delete", [ids[0], missing, ids[2]])
    assert answer == (
        200,
        [{"image_id": ids[0], "subject": "ada"}, {"image_id": ids[2], "subject": "bo"}],
    )
    assert door.subjects() == ["ada"]


@pytest.mark.parametrize("body", [{}, [5], "x", ["no-uuid"], ["x"] * 1001])
def test_a_list_of_other_things_deletes_nothing(door: Caller, body) -> None:
    answer = door.send("/recognition/faces/delete", body)
    assert (answer.status, answer.body["code"]) == (400, 26)


def test_an_example_that_is_not_there_is_code_11(door: Caller) -> None:
    answer = door.delete(f"/recognition/faces/{uuid.uuid4()}")
    assert (answer.status, answer.body["code"]) == (404, 11)
    assert door.delete("/recognition/faces/no-uuid").body["code"] == 26


def test_pictures_are_not_kept(door: Caller, people) -> None:
    image_id = door.add("ada", people.ada)
    answer = door.get(f"/recognition/faces/{image_id}/img")
    assert (answer.status, answer.body["code"]) == (404, 11)
    assert door.get(f"/static/{door.key}/images/{image_id}").status == 404


def test_new_subjects_made_at_once_are_one_each(door: Caller, people, client, gallery) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: door.add("ada", people.ada), range(4)))
    (identity,) = client.identities(gallery=gallery)
    assert identity.template_count == 4


def test_everyone_is_deleted_if_a_setting_allows_it(
    server, keys, key, gallery, client, people
) -> None:
    settings = {"server": server.address, "compreface_keys": keys}
    with running_console(**settings, compreface_delete_all=True) as console:
        door = Caller(address_of(console), key)
        door.add("ada", people.ada)
        door.add("ada", people.ada)
        door.add("bo", people.bo)
        assert door.delete("/recognition/faces").body == {"deleted": 3}
        assert door.subjects() == []
        door.add("ada", people.ada)
        assert door.delete("/recognition/subjects").body == {"deleted": 1}
        assert client.gallery(gallery).identity_count == 0
