"""`/api/merge` and `/api/split`: one identity of two, and two of one, taken back by each other; for who may change people."""

from pathlib import Path
from typing import Any

import pytest

import facewire
from console.described import checked
from facewire_server.access.roles import Role
from harness.console_running import Answer, RunningConsole, running_console
from harness.roles import with_token
from harness.running import RunningServer, running_server

MERGE, SPLIT = ("POST", "/api/merge"), ("POST", "/api/split")


def call(console: RunningConsole, gallery: str, which: tuple[str, str], content: Any) -> Answer:
    return console.send(which[0], f"{which[1]}?gallery={gallery}", content=content)


@pytest.fixture
def two(server: RunningServer, gallery: str, portrait: bytes) -> list[list[str]]:
    """`ada` with two pictures, and `ada-2` with one of the same person; returns their template ids."""
    with facewire.Client(server.address) as client:
        client.enroll("ada", [portrait] * 2, gallery=gallery, display_name="Ada")
        with pytest.warns(facewire.SimilarIdentityWarning):
            client.enroll("ada-2", [portrait], gallery=gallery, display_name="Countess")
    return [templates_of(server, gallery, one) for one in ("ada", "ada-2")]


def templates_of(server: RunningServer, gallery: str, identity_id: str) -> list[str]:
    with facewire.Client(server.address) as client:
        return [each.template_id for each in client.templates(identity_id, gallery=gallery)]


def test_a_merge_says_what_a_split_takes_back(console, server, gallery, two) -> None:
    kept, moved = two
    both = {"identity_id": "ada", "merged_identity_id": "ada-2"}
    found = checked(call(console, gallery, MERGE, both), *MERGE)
    assert (found["identity"]["identity_id"], found["identity"]["name"]) == ("ada", "Ada")
    assert found["identity"]["template_count"] == 3
    assert found["moved_template_ids"] == moved
    again = call(console, gallery, MERGE, both)
    assert (again.status, again.reason) == (404, "IDENTITY_NOT_FOUND")

    back = {
        "identity_id": "ada", "template_ids": moved, "new_identity_id": "ada-2", "name": " Countess ",
    }  # fmt: skip
    countess = checked(call(console, gallery, SPLIT, back), *SPLIT)
    assert (countess["identity_id"], countess["name"]) == ("ada-2", "Countess")
    assert [templates_of(server, gallery, one) for one in ("ada", "ada-2")] == [kept, moved]
    again = call(console, gallery, SPLIT, {**back, "template_ids": kept})
    assert (again.status, again.reason) == (409, "IDENTITY_EXISTS")


@pytest.mark.usefixtures("two")
def test_an_id_that_the_console_makes_tells_no_name(console, server, gallery) -> None:
    content = {
        "identity_id": "ada",
        "template_ids": templates_of(server, gallery, "ada")[:1],
        "name": "Bo",
    }
    new = checked(call(console, gallery, SPLIT, content), *SPLIT)
    assert len(new["identity_id"]) == 32
    assert (new["name"], new["template_count"]) == ("Bo", 1)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("which", "content", "status", "reason"),
    [
        (MERGE, [], 400, "BAD_REQUEST"),
        (MERGE, {"identity_id": "ada"}, 400, "BAD_REQUEST"),
        (MERGE, {"identity_id": "ada", "merged_identity_id": 5}, 400, "BAD_REQUEST"),
        (MERGE, {"identity_id": "ada", "merged_identity_id": "ada"}, 400, "FIELD_INVALID"),
        (MERGE, {"identity_id": "ada", "merged_identity_id": "bo"}, 404, "IDENTITY_NOT_FOUND"),
        (SPLIT, {"identity_id": "ada", "name": "Bo"}, 400, "BAD_REQUEST"),
        (SPLIT, {"identity_id": "ada", "name": "Bo", "template_ids": []}, 400, "BAD_REQUEST"),
        (SPLIT, {"identity_id": "ada", "name": "Bo", "template_ids": [1]}, 400, "BAD_REQUEST"),
        (
            SPLIT,
            {"identity_id": "ada", "name": "Bo", "template_ids": ["0" * 32] * 1001},
            400,
            "BAD_REQUEST",
        ),
        (
            SPLIT,
            {"identity_id": "ada", "name": " ", "template_ids": ["0" * 32]},
            400,
            "BAD_REQUEST",
        ),
        (
            SPLIT,
            {"identity_id": "ada", "name": "Bo", "template_ids": ["0" * 32]},
            404,
            "TEMPLATE_NOT_FOUND",
        ),
    ],
)
def test_what_cannot_be_done_has_a_clear_answer(
    console, gallery, which, content, status, reason
) -> None:
    answer = call(console, gallery, which, content)
    assert (answer.status, answer.reason) == (status, reason)


def test_a_token_that_may_not_change_people_may_do_neither(models: Path, tmp_path: Path) -> None:
    tokens, token = tmp_path / "tokens", tmp_path / "token"
    token.write_text(with_token(tokens, "camera", Role.CAMERA))
    with (
        running_server(token_file=tokens) as server,
        running_console(server.address, server_token_file=token) as console,
    ):
        status = console.send("GET", "/api/status").json()
        assert (status["may"]["merge"], status["may"]["split"]) == (False, False)
        assert "enroller" in status["missing"]["merge"]
        for which, content in (
            (MERGE, {"identity_id": "a", "merged_identity_id": "b"}),
            (SPLIT, {"identity_id": "a", "template_ids": ["0" * 32], "name": "B"}),
        ):
            answer = call(console, "default", which, content)
            assert (answer.status, answer.reason) == (403, "ROLE_REQUIRED")
