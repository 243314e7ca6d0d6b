"""Unknown people over HTTP: listed per person, looked at, named in one step, forgotten; and what of it a role may."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from console.described import checked
from facewire_server.access.roles import Role
from harness.console_running import RunningConsole, running_console
from harness.roles import with_token
from harness.running import RunningServer, running_server

LIST = "/api/unknown"
ONE = "/api/unknown/{unknown_id}"
PICTURE = f"{ONE}/pictures/{{number}}"
NO_ONE = 2**53 - 1

FRAMES, STEP_US = 8, 250_000
"""Two seconds: an unknown person is confirmed after one."""


def visit(client: facewire.Client, picture: NDArray[np.uint8], camera: str, gallery: str) -> None:
    """A person whom the gallery does not know comes to a camera, and leaves."""
    frames = [facewire.Frame(picture, captured_at_us=one * STEP_US) for one in range(1, FRAMES + 1)]
    policy = facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames, camera=camera, gallery=gallery, policy=policy) as stream:
        assert list(stream)


@pytest.fixture
def visited(server: RunningServer, gallery: str, astronaut) -> str:
    """A gallery whose cameras have seen one unknown person twice."""
    with facewire.Client(server.address) as client:
        for camera in ("door", "yard"):
            visit(client, astronaut, camera, gallery)
    return gallery


def listed(console: RunningConsole, gallery: str) -> list[dict[str, object]]:
    answer = console.send("GET", f"{LIST}?gallery={gallery}")
    people: list[dict[str, object]] = checked(answer, "GET", LIST)["people"]
    return people


def test_visits_of_one_face_are_one_person_who_is_named_in_one_step(
    console: RunningConsole, visited: str, portrait: bytes
) -> None:
    (person,) = listed(console, visited)
    assert (person["visit_count"], person["cameras"]) == (2, ["door", "yard"])
    assert str(person["first_seen"]) < str(person["last_seen"])
    one = f"{LIST}/{person['unknown_id']}"
    assert person["picture_count"] == 2
    for number in (1, 2):
        answer = console.send("GET", f"{one}/pictures/{number}?gallery={visited}")
        checked(answer, "GET", PICTURE)
        assert answer.body.startswith(b"\xff\xd8")
        assert answer.headers["cache-control"] == "no-store"
    for number in (0, 3):
        none = console.send("GET", f"{one}/pictures/{number}?gallery={visited}")
        assert (none.status, none.reason) == (404, "UNKNOWN_PERSON_NOT_FOUND")

    named = console.send("POST", f"{one}/identity?gallery={visited}", content={"name": " Ada "})
    enrolled = checked(named, "POST", f"{ONE}/identity")
    assert named.status == 201
    assert (enrolled["accepted_count"], enrolled["identity"]["name"]) == (2, "Ada")
    assert "ada" not in enrolled["identity"]["identity_id"].lower(), "no URL carries a name"
    (face,) = console.send("POST", f"/api/recognize?gallery={visited}", portrait).json()["faces"]
    assert face["name"] == "Ada"
    assert listed(console, visited) == []
    again = console.send("POST", f"{one}/identity?gallery={visited}", content={"name": "Ada"})
    assert (again.status, again.reason) == (404, "UNKNOWN_PERSON_NOT_FOUND")
    checked(again, "POST", f"{ONE}/identity")


def test_pictures_are_added_to_a_person_who_is_named(console: RunningConsole, visited: str) -> None:
    (person,) = listed(console, visited)
    path = f"{LIST}/{person['unknown_id']}/identity?gallery={visited}"
    added = console.send("POST", path, content={"name": "Ada", "identity_id": "7"})
    assert checked(added, "POST", f"{ONE}/identity")["identity"]["identity_id"] == "7"


def test_a_person_is_forgotten_and_so_are_all(
    console: RunningConsole, server: RunningServer, visited: str, astronaut
) -> None:
    (person,) = listed(console, visited)
    one = f"{LIST}/{person['unknown_id']}?gallery={visited}"
    assert checked(console.send("DELETE", one), "DELETE", ONE) is None
    assert listed(console, visited) == []
    gone = console.send("DELETE", one)
    assert (gone.status, gone.reason) == (404, "UNKNOWN_PERSON_NOT_FOUND")
    with facewire.Client(server.address) as client:
        visit(client, astronaut, "door", visited)
    all_of_it = f"{LIST}?gallery={visited}"
    assert checked(console.send("DELETE", all_of_it), "DELETE", LIST) == {"forgotten_count": 1}
    assert listed(console, visited) == []


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "reason"),
    [
        ("GET", f"{LIST}/0/pictures/1", None, 404, "UNKNOWN_PERSON_NOT_FOUND"),
        ("GET", f"{LIST}/{NO_ONE}/pictures/1", None, 404, "UNKNOWN_PERSON_NOT_FOUND"),
        ("DELETE", f"{LIST}/{2**70}", None, 404, "UNKNOWN_PERSON_NOT_FOUND"),
        ("POST", f"{LIST}/{NO_ONE}/identity", {"name": "x"}, 404, "UNKNOWN_PERSON_NOT_FOUND"),
        ("POST", f"{LIST}/{NO_ONE}/identity", {"name": " "}, 400, "BAD_REQUEST"),
        ("POST", f"{LIST}/{NO_ONE}/identity", {"name": "x", "identity_id": 7}, 400, "BAD_REQUEST"),
        ("POST", f"{LIST}/{NO_ONE}/identity", {"name": "\0"}, 400, "FIELD_INVALID"),
        ("POST", f"{LIST}/{NO_ONE}/identity", [], 400, "BAD_REQUEST"),
        ("GET", f"{LIST}?gallery=A", None, 400, "FIELD_INVALID"),
    ],
)  # fmt: skip
def test_a_bad_request_has_a_clear_answer(
    console: RunningConsole, method: str, path: str, content: object, status: int, reason: str
) -> None:
    answer = console.send(method, path, content=content)
    assert (answer.status, answer.reason) == (status, reason)


@pytest.fixture(scope="module")
def strict(
    models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[Role, str]]]:
    """The address of a server that asks for tokens, and a token of each role."""
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens = {role: with_token(file, role.value, role) for role in Role}
    with running_server(token_file=file, keep_unknown_hours=1) as server:
        yield server.address, tokens


CALLS = {
    "list": ("GET", LIST, None),
    "see": ("GET", f"{LIST}/{NO_ONE}/pictures/1", None),
    "name": ("POST", f"{LIST}/{NO_ONE}/identity", {"name": "Ada"}),
    "forget": ("DELETE", f"{LIST}/{NO_ONE}", None),
    "forget all": ("DELETE", LIST, None),
}


@pytest.mark.parametrize(
    ("role", "may", "allowed"),
    [
        (Role.CAMERA, set(), set()),
        (Role.ENROLLER, {"name_unknown"}, {"see", "name"}),
        (
            Role.OPERATOR,
            {"list_unknown", "name_unknown", "forget_unknown"},
            {"list", "see", "name", "forget", "forget all"},
        ),
    ],
)
def test_a_role_does_what_it_may_and_status_says_so(
    strict: tuple[str, dict[Role, str]],
    tmp_path: Path,
    role: Role,
    may: set[str],
    allowed: set[str],
) -> None:
    address, tokens = strict
    token = tmp_path / "token"
    token.write_text(tokens[role])
    with running_console(address, server_token_file=token) as console:
        answers = {
            name: console.send(method, path, content=content)
            for name, (method, path, content) in CALLS.items()
        }
        refused = {name for name, each in answers.items() if each.status == 403}
        assert {each.reason for name, each in answers.items() if name in refused} <= {
            "ROLE_REQUIRED"
        }
        assert set(CALLS) - refused == allowed
        said = console.send("GET", "/api/status").json()
        assert {name for name, is_so in said["may"].items() if is_so and "unknown" in name} == may
        missing = {name: why for name, why in said["missing"].items() if "unknown" in name}
        assert all("role" in why for why in missing.values())
        assert set(missing) | may == {"list_unknown", "name_unknown", "forget_unknown"}


def test_a_server_that_keeps_none_says_so(models: Path) -> None:
    with running_server() as server, running_console(server.address) as console:
        for method, path, content in CALLS.values():
            answer = console.send(method, path, content=content)
            assert (answer.status, answer.reason) == (404, "UNKNOWN_PEOPLE_NOT_KEPT")
        said = console.send("GET", "/api/status").json()
        assert said["may"]["list_unknown"] is False
        assert "keep_unknown_hours" in said["missing"]["list_unknown"]
