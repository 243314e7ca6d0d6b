"""People over HTTP: enrolled, recognized, renamed, deleted, with answers as described."""

from urllib.parse import quote

import pytest

from console.described import checked
from harness.console_running import RunningConsole

ONE = "/api/identities/{identity_id}"


@pytest.fixture
def ada(console: RunningConsole, gallery: str, portrait: bytes) -> str:
    """The id of a person who was enrolled."""
    answer = console.send_form(
        f"/api/identities?gallery={gallery}", [("name", "Ada"), ("image", portrait)]
    )
    assert answer.status == 201
    return str(checked(answer, "POST", "/api/identities")["identity"]["identity_id"])


def test_a_person_is_enrolled_and_recognized(console, gallery, ada, portrait, gray) -> None:
    assert "ada" not in ada.lower(), "no URL carries a name"
    answer = console.send("POST", f"/api/recognize?gallery={gallery}&candidates=3", portrait)
    (face,) = checked(answer, "POST", "/api/recognize")["faces"]
    assert (face["verdict"], face["name"], face["identity_id"]) == ("known", "Ada", ada)
    assert face["candidates"][0]["identity_id"] == ada
    assert console.send("POST", f"/api/recognize?gallery={gallery}", gray).json()["faces"] == []


def test_people_are_listed_page_by_page(console, gallery, portrait) -> None:
    for identity_id in ("b", "a", "c"):
        parts = [("name", identity_id.upper()), ("identity_id", identity_id), ("image", portrait)]
        assert console.send_form(f"/api/identities?gallery={gallery}", parts).status == 201
    path = f"/api/identities?gallery={gallery}&page_size=2"
    first = checked(console.send("GET", path), "GET", "/api/identities")
    assert [each["identity_id"] for each in first["identities"]] == ["a", "b"]
    assert first["total"] == 3
    rest = console.send("GET", f"{path}&page_token={quote(first['next_page_token'])}").json()
    assert [each["name"] for each in rest["identities"]] == ["C"]
    assert rest["next_page_token"] == ""


def test_a_person_is_renamed_and_deleted(console, gallery, ada, portrait) -> None:
    one = f"/api/identities/{ada}?gallery={gallery}"
    renamed = checked(console.send("PATCH", one, content={"name": "Ada L."}), "PATCH", ONE)
    assert renamed["name"] == "Ada L."
    assert checked(console.send("GET", one), "GET", ONE) == renamed
    checked(console.send("DELETE", one), "DELETE", ONE)
    gone = console.send("GET", one)
    assert (gone.status, gone.reason) == (404, "IDENTITY_NOT_FOUND")
    checked(gone, "GET", ONE)
    answer = console.send("POST", f"/api/recognize?gallery={gallery}", portrait)
    assert answer.json()["faces"][0]["verdict"] == "unknown"


def test_templates_are_added_listed_and_deleted(console, gallery, ada, portrait) -> None:
    path = f"/api/identities/{ada}/templates?gallery={gallery}"
    described = f"{ONE}/templates"
    added = console.send_form(path, [("image", portrait), ("image", portrait)])
    assert checked(added, "POST", described)["accepted_count"] == 2
    templates = checked(console.send("GET", path), "GET", described)["templates"]
    assert len(templates) == 3
    one = f"/api/identities/{ada}/templates/{templates[0]['template_id']}?gallery={gallery}"
    checked(console.send("DELETE", one), "DELETE", f"{described}/{{template_id}}")
    assert console.send("DELETE", one).reason == "TEMPLATE_NOT_FOUND"
    assert len(console.send("GET", path).json()["templates"]) == 2


def test_a_refused_picture_says_what_helps(console, gallery, pair, gray, portrait) -> None:
    path = f"/api/identities?gallery={gallery}"
    several = console.send_form(path, [("name", "Ada"), ("image", pair)])
    assert (several.status, several.reason) == (409, "SEVERAL_FACES")
    (picture,) = checked(several, "POST", "/api/identities")["pictures"]
    assert len(picture["faces"]) == 2, "to choose from"
    none = console.send_form(path, [("name", "Ada"), ("image", gray)])
    assert (none.status, none.reason) == (422, "NO_FACE")
    assert console.send("GET", path).json()["total"] == 0, "nothing was written"
    chosen = [("name", "Ada"), ("selection", "largest"), ("image", pair), ("image", gray)]
    mixed = console.send_form(path, chosen)
    shown = checked(mixed, "POST", "/api/identities")["pictures"]
    assert [each["refusal"] for each in shown] == [None, "NO_FACE"]


def test_another_person_whom_a_picture_matches_is_named(console, gallery, ada, portrait) -> None:
    answer = console.send_form(
        f"/api/identities?gallery={gallery}", [("name", "Bo"), ("image", portrait)]
    )
    (picture,) = checked(answer, "POST", "/api/identities")["pictures"]
    assert (picture["similar"]["identity_id"], picture["similar"]["name"]) == (ada, "Ada")


def test_two_pictures_are_compared(console, portrait, gray) -> None:
    same = console.send_form("/api/compare", [("first", portrait), ("second", portrait)])
    compared = checked(same, "POST", "/api/compare")
    assert (compared["outcome"], compared["threshold_source"]) == ("same", "error_rate")
    assert compared["threshold_false_match_rate"] == pytest.approx(1e-4)
    assert compared["false_match_rate"] is not None
    assert (compared["are_both_blurred"], compared["threshold_raise"]) == (False, 0.0)
    refused = console.send_form("/api/compare", [("first", portrait), ("second", gray)])
    assert (refused.status, refused.reason) == (422, "NO_FACE")
    assert refused.json()["error"]["fields"] == ["second"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("GET", "/api/identities?gallery=nowhere", b"", 404, "GALLERY_NOT_FOUND"),
        ("GET", "/api/identities?page_size=0", b"", 400, "BAD_REQUEST"),
        ("GET", "/api/identities?page_size=9999", b"", 400, "BAD_REQUEST"),
        ("GET", "/api/identities?page_token=%00", b"", 400, "FIELD_INVALID"),
        ("POST", "/api/identities", b"name=x", 400, "BAD_REQUEST"),
        ("PATCH", "/api/identities/x", b"[]", 400, "BAD_REQUEST"),
        ("PATCH", "/api/identities/x", b"{" * 70_000, 413, "BODY_TOO_LARGE"),
        ("PATCH", "/api/identities/x", b"[" * 10_000, 400, "BAD_REQUEST"),
        ("POST", "/api/recognize", b"", 422, "IMAGE_EMPTY"),
        ("POST", "/api/recognize", b"no picture", 422, "IMAGE_UNDECODABLE"),
        ("POST", "/api/recognize?candidates=21", b"x", 400, "BAD_REQUEST"),
        ("PUT", "/api/identities", b"", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/nothing", b"", 404, "NOT_FOUND"),
        ("GET", "/api/tracks/0/crop", b"", 404, "TRACK_NOT_FOUND"),
        ("GET", "/api/tracks/12345678/crop", b"", 404, "TRACK_NOT_FOUND"),
        ("GET", "/api/tracks/99999999999999999999/crop", b"", 404, "TRACK_NOT_FOUND"),
    ],
)  # fmt: skip
def test_a_bad_request_has_a_clear_answer(console, method, path, body, status, reason) -> None:
    answer = console.send(method, path, body)
    assert (answer.status, answer.reason) == (status, reason)


def test_a_form_has_a_bounded_number_of_parts(console, portrait) -> None:
    too_many = [("name", "x"), *[("image", portrait[:10])] * 11]
    assert console.send_form("/api/identities", too_many).reason == "BAD_REQUEST"
    assert console.send_form("/api/identities", [("x", "y")] * 9).reason == "BAD_REQUEST"
    long = [("name", "x" * 5000), ("image", portrait)]
    assert console.send_form("/api/identities", long).reason == "BAD_REQUEST"
