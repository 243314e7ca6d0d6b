"""Faces that are not a person over HTTP: added from a picture, listed, taken back, with answers as described."""

from pathlib import Path

import pytest

from console.conftest import jpeg
from console.described import checked
from facewire_server.access.roles import Role
from harness.console_running import Part, RunningConsole, running_console
from harness.roles import with_token
from harness.running import running_server

ONE = "/api/identities/{identity_id}/negative-examples"


@pytest.fixture
def ada(console: RunningConsole, gallery: str, astronaut) -> str:
    """The path of the negative examples of a person, who is enrolled from a part of the picture."""
    parts: list[Part] = [
        ("name", "Ada"),
        ("identity_id", "ada"),
        ("image", jpeg(astronaut[:256, 104:352])),
    ]
    assert console.send_form(f"/api/identities?gallery={gallery}", parts).status == 201
    return "/api/identities/ada/negative-examples"


def verdict(console: RunningConsole, gallery: str, picture: bytes) -> tuple[str, str]:
    answer = console.send("POST", f"/api/recognize?gallery={gallery}&explain=true", picture)
    (face,) = checked(answer, "POST", "/api/recognize")["faces"]
    return face["verdict"], face["judgment"]["deciding_rule"]


def test_a_face_is_not_a_person_until_that_is_taken_back(console, gallery, ada, portrait) -> None:
    path = f"{ada}?gallery={gallery}"
    assert verdict(console, gallery, portrait) == ("known", "alone_above_threshold")
    added = checked(console.send_form(path, [("image", portrait)]), "POST", ONE)
    example = added["negative_example"]
    assert (example["identity_id"], example["source"]) == ("ada", "console")
    assert added["threshold"] < added["similarity"] < 1
    assert verdict(console, gallery, portrait) == ("unknown", "nearer_to_negative_example")
    listed = checked(console.send("GET", path), "GET", ONE)["negative_examples"]
    assert listed == [example]
    person = console.send("GET", f"/api/identities/ada?gallery={gallery}").json()
    assert person["negative_example_count"] == 1
    one = f"{ada}/{example['negative_example_id']}?gallery={gallery}"
    checked(console.send("DELETE", one), "DELETE", f"{ONE}/{{negative_example_id}}")
    assert verdict(console, gallery, portrait)[0] == "known"
    gone = console.send("DELETE", one)
    assert (gone.status, gone.reason) == (404, "NEGATIVE_EXAMPLE_NOT_FOUND")


def test_only_a_persons_own_example_is_taken_back_by_their_path(
    console, gallery, ada, portrait
) -> None:
    parts = [("name", "Bo"), ("identity_id", "bo"), ("image", portrait)]
    assert console.send_form(f"/api/identities?gallery={gallery}", parts).status == 201
    added = console.send_form(f"{ada}?gallery={gallery}", [("image", portrait)]).json()
    example = added["negative_example"]["negative_example_id"]
    other = console.send(
        "DELETE", f"/api/identities/bo/negative-examples/{example}?gallery={gallery}"
    )
    assert (other.status, other.reason) == (404, "NEGATIVE_EXAMPLE_NOT_FOUND")
    kept = console.send("GET", f"{ada}?gallery={gallery}").json()["negative_examples"]
    assert len(kept) == 1


def test_a_picture_that_cannot_be_used_says_why(console, gallery, ada, pair, gray) -> None:
    path = f"{ada}?gallery={gallery}"
    for parts, status, reason in (
        ([("image", gray)], 422, "NO_FACE"),
        ([("image", pair)], 409, "SEVERAL_FACES"),
        ([("selection", "largest")], 400, "BAD_REQUEST"),
        ([("selection", "all"), ("image", gray)], 400, "BAD_REQUEST"),
        ([("image", gray), ("image", gray)], 400, "BAD_REQUEST"),
    ):
        refused = console.send_form(path, parts)
        assert (refused.status, refused.reason) == (status, reason)
    assert console.send("GET", path).json()["negative_examples"] == []
    nobody = f"/api/identities/nobody/negative-examples?gallery={gallery}"
    assert console.send("GET", nobody).reason == "IDENTITY_NOT_FOUND"
    assert console.send_form(nobody, [("image", gray)]).reason == "IDENTITY_NOT_FOUND"


def test_a_token_that_may_not_change_people_neither_adds_nor_lists_nor_takes_back(
    models: Path, tmp_path: Path, gray: bytes
) -> None:
    tokens, token = tmp_path / "tokens", tmp_path / "token"
    token.write_text(with_token(tokens, "camera", Role.CAMERA))
    path = "/api/identities/ada/negative-examples"
    with (
        running_server(token_file=tokens) as server,
        running_console(server.address, server_token_file=token) as console,
    ):
        for answer in (
            console.send_form(path, [("image", gray)]),
            console.send("GET", path),
            console.send("DELETE", f"{path}/{'0' * 32}"),
        ):
            assert (answer.status, answer.reason) == (403, "ROLE_REQUIRED")
