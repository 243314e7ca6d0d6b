"""`/api/status`: what the page shows first, with a server, without one, and with a token of few roles."""

from pathlib import Path

import pytest

from console.described import checked
from facewire_server.access.roles import Role
from harness.console_running import running_console
from harness.roles import with_token
from harness.running import running_server

STATUS = ("GET", "/api/status")


def test_everything_is_allowed_before_a_server_without_tokens(console, server) -> None:
    found = checked(console.send(*STATUS), *STATUS)
    assert found["server"]["reachable"] is True
    assert found["server"]["address"] == server.address
    assert all(found["server"]["serving"].values())
    assert all(found["may"].values())
    assert found["missing"] == {}
    assert "default" in [each["gallery_id"] for each in found["galleries"]]
    assert found["limits"]["max_image_bytes"] == 16 << 20
    assert found["login"] == {"required": False, "logged_in": True}


def test_the_console_starts_without_its_server_and_says_so() -> None:
    with running_console("127.0.0.1:1") as console:
        found = checked(console.send(*STATUS), *STATUS)
        assert found["server"]["reachable"] is False
        assert found["server"]["error"]["reason"] == "SERVER_UNREACHABLE"
        answer = console.send("GET", "/api/identities")
        assert (answer.status, answer.reason) == (503, "SERVER_UNREACHABLE")


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens") / "tokens"


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        ((Role.CAMERA,), {"recognize"}),
        (
            (Role.ENROLLER,),
            {
                "recognize",
                "read_people",
                "enroll",
                "rename",
                "merge",
                "split",
                "delete",
                "see_crops",
                "name_unknown",
            },
        ),
    ],
)
def test_a_token_with_few_roles_is_shown_with_what_is_missing(
    models, token_file, tmp_path, portrait, roles, allowed
) -> None:
    token = tmp_path / "token"
    token.write_text(with_token(token_file, roles[0].value, *roles))
    with (
        running_server(token_file=token_file, keep_crops=True, keep_unknown_hours=1) as server,
        running_console(server.address, server_token_file=token) as console,
    ):
        found = checked(console.send(*STATUS), *STATUS)
        assert {action for action, may in found["may"].items() if may} == allowed
        assert set(found["missing"]) == set(found["may"]) - allowed
        assert "operator" in found["missing"]["watch_events"]
        events = console.send("GET", "/api/events")
        assert (events.status, events.reason) == (403, "ROLE_REQUIRED")
        assert "operator" in events.json()["error"]["message"]
        answer = console.send_form("/api/identities", [("name", "A"), ("image", portrait)])
        assert answer.status == (201 if "enroll" in allowed else 403)
        assert token.read_text() not in console.log()


def test_a_wrong_token_is_the_consoles_fault(models, token_file, tmp_path) -> None:
    with_token(token_file, "other", Role.CAMERA)
    token = tmp_path / "token"
    token.write_text("not-this-one")
    with (
        running_server(token_file=token_file) as server,
        running_console(server.address, server_token_file=token) as console,
    ):
        answer = console.send("GET", "/api/identities")
        assert (answer.status, answer.reason) == (502, "TOKEN_REQUIRED")
        assert "not-this-one" not in console.log()
        assert "not-this-one" not in answer.body.decode()


def test_a_console_outlives_its_server(models) -> None:
    with running_server() as server:
        address = server.address
        with running_console(address) as console:
            assert console.send(*STATUS).json()["server"]["reachable"] is True
            server.interrupt()
            server.wait()
            assert console.send(*STATUS).json()["server"]["reachable"] is False
            with running_server(listen=address):
                while not console.send(*STATUS).json()["server"]["reachable"]:
                    pass  # gRPC pauses before it connects again
