"""What CompreFace's clients rely on without saying so; each test is one of the traps that they set."""

import cv2
import numpy as np
import pytest

from harness.compreface_calls import Caller, address_of, exchange, form

VISERON_THRESHOLD = 0.5
DOUBLE_TAKE_MATCH = 0.6
DOUBLE_TAKE_UNKNOWN = 0.4


def test_a_recognized_face_always_has_a_first_subject(door: Caller, people) -> None:
    # Viseron reads result["subjects"][0], whatever there is.
    (face,) = door.recognize(people.ada)
    assert face["subjects"] == [{"subject": "unknown", "similarity": 0.0}]  # the gallery is empty
    door.add("bo", people.bo)
    (face,) = door.recognize(people.ada)
    assert [each["subject"] for each in face["subjects"]] == ["bo"]  # the nearest, however unlike


def test_a_face_too_poor_to_be_compared_has_a_first_subject(door: Caller, people) -> None:
    door.add("ada", people.ada)
    picture = cv2.imdecode(np.frombuffer(people.ada, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    tiny = cv2.resize(picture, None, fx=0.1, fy=0.1, interpolation=cv2.INTER_AREA)
    (face,) = door.recognize(cv2.imencode(".jpg", tiny)[1].tobytes())
    assert face["subjects"] == [{"subject": "unknown", "similarity": 0.0}]


@pytest.mark.parametrize(
    "path", ["/recognition/recognize", "/recognition/faces?subject=ada", "/detection/detect"]
)
def test_nobody_in_the_picture_is_code_28(door: Caller, people, path: str) -> None:
    # Double Take takes this number for "nobody there", and throws at any other.
    status, body = door.post(path, file=people.nobody)
    assert (status, body) == (
        400,
        {"message": "No face is found in the given image", "code": 28},
    )


def test_nobody_in_one_of_two_pictures_is_code_28(door: Caller, people) -> None:
    for pictures in ((people.ada, people.nobody), (people.nobody, people.ada)):
        answer = door.post(
            "/verification/verify", source_image=pictures[0], target_image=pictures[1]
        )
        assert (answer.status, answer.body["code"]) == (400, 28)


def test_a_known_face_is_over_everyones_threshold_and_any_other_under_it(
    door: Caller, people
) -> None:
    door.add("ada", people.ada)
    (known,) = door.recognize(people.ada_again)
    (stranger,) = door.recognize(people.bo)
    assert known["subjects"][0]["subject"] == "ada"
    assert DOUBLE_TAKE_MATCH <= known["subjects"][0]["similarity"] <= 1
    assert stranger["subjects"][0]["subject"] == "ada"
    assert 0 <= stranger["subjects"][0]["similarity"] < DOUBLE_TAKE_UNKNOWN < VISERON_THRESHOLD


def test_a_face_between_two_people_is_under_every_threshold(door: Caller, people) -> None:
    door.add("ada", people.ada)
    door.add("eve", people.ada)  # one person under two names: nobody can say which
    (face,) = door.recognize(people.ada_again, "?prediction_count=5")
    assert {each["subject"] for each in face["subjects"]} == {"ada", "eve"}
    assert all(each["similarity"] < DOUBLE_TAKE_UNKNOWN for each in face["subjects"])


def test_more_predictions_put_only_the_recognized_one_over_the_thresholds(
    door: Caller, people
) -> None:
    door.add("ada", people.ada)
    door.add("bo", people.bo)
    (face,) = door.recognize(people.ada_again, "?prediction_count=3")
    best, second = face["subjects"]
    assert (best["subject"], second["subject"]) == ("ada", "bo")
    assert best["similarity"] >= DOUBLE_TAKE_MATCH
    assert second["similarity"] < DOUBLE_TAKE_UNKNOWN


def test_a_name_that_was_lower_cased_is_found(door: Caller, people) -> None:
    # Double Take lower-cases the names that it reads, and asks with them later.
    image_id = door.add("%C3%89milie", people.ada)
    assert door.subjects() == ["Émilie"]
    assert door.get("/recognition/faces?subject=%C3%A9milie").body["total_elements"] == 1
    answer = door.post("/recognition/faces?subject=%C3%A9milie", file=people.ada_again)
    assert answer.body["subject"] == "Émilie"
    assert door.subjects() == ["Émilie"]
    assert door.delete("/recognition/faces?subject=%C3%A9milie").body == {"deleted": 2}
    assert door.delete(f"/recognition/faces/{image_id}").body["code"] == 11


def test_names_that_differ_in_case_only_are_not_confused(door: Caller, people) -> None:
    door.send("/recognition/subjects", {"subject": "Ada"})
    # Made by another client: the door itself does not make a second one.
    assert door.send("/recognition/subjects", {"subject": "ADA"}).body["code"] == 43
    assert door.delete("/recognition/subjects/ada").body == {"subject": "Ada"}


def test_which_of_two_names_is_meant_is_not_guessed(door: Caller, client, gallery) -> None:
    for identity_id, name in (("1", "Ada"), ("2", "ADA")):
        client.create_identity(identity_id, gallery=gallery, display_name=name)
    answer = door.delete("/recognition/faces?subject=ada")
    assert (answer.status, answer.body["code"]) == (400, 26)
    assert door.delete("/recognition/subjects/ADA").body == {"subject": "ADA"}
    assert door.subjects() == ["Ada"]


@pytest.mark.parametrize(
    "path",
    [
        "/recognition/faces",
        "/recognition/faces/",
        "/recognition/faces?subject=",
        "/recognition/faces?subject=%20",
        "/recognition/subjects",
        "/recognition/subjects/",
        "/recognition/subjects/%20",
    ],
)
def test_nobody_is_deleted_by_a_request_that_names_nobody(door: Caller, people, path: str) -> None:
    door.add("ada", people.ada)
    answer = door.delete(path)
    assert answer.status in (404, 405)
    assert set(answer.body) == {"message", "code"}
    assert door.subjects() == ["ada"]


def test_the_last_example_takes_its_subject_along(door: Caller, people, client, gallery) -> None:
    first = door.add("ada", people.ada)
    second = door.add("ada", people.ada_again)
    assert door.delete(f"/recognition/faces/{first}").body == {
        "image_id": first,
        "subject": "ada",
    }
    assert door.subjects() == ["ada"]
    door.delete(f"/recognition/faces/{second}")
    assert door.subjects() == []
    assert list(client.identities(gallery=gallery)) == []


def test_an_example_makes_its_subject(door: Caller, people) -> None:
    door.add("ada", people.ada)
    assert door.subjects() == ["ada"]


def test_a_subject_without_examples_may_be_made_first(door: Caller, people) -> None:
    answer = door.send("/recognition/subjects", {"subject": "ada"})
    assert answer == (201, {"subject": "ada"})
    assert door.subjects() == ["ada"]
    door.add("ada", people.ada)
    assert door.subjects() == ["ada"]


def test_options_that_were_never_set_are_none(door: Caller, console, people) -> None:
    # Double Take's own query for a user who chose no plugins; the SDK's begins with "&".
    body, content_type = form([("file", "1.jpg", people.ada)])
    for query in (
        "face_plugins=undefined&det_prob_threshold=0.8",
        "&limit=0&det_prob_threshold=0.8&prediction_count=1&status=True",
        "limit=&prediction_count=null&det_prob_threshold=undefined",
    ):
        status, answer = exchange(
            address_of(console),
            [
                f"POST /api/v1/recognition/recognize?{query} HTTP/1.1",
                f"x-api-key: {door.key}",
                f"Content-Type: {content_type}",
            ],
            body,
        )
        assert status == 200, answer
        assert len(answer["result"]) == 1
