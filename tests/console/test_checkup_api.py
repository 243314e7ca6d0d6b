"""What harms a gallery, over HTTP: found as the contract says, for operators only."""

from pathlib import Path

from console.described import checked
from facewire_server.access.roles import Role
from harness.console_running import RunningConsole, running_console
from harness.roles import with_token
from harness.running import running_server

CHECKUP = ("GET", "/api/checkup")


def test_a_person_under_two_names_is_found_until_one_is_forgotten(
    console: RunningConsole, gallery: str, portrait: bytes
) -> None:
    for identity_id in ("1", "2", "3"):
        parts = [("name", f"N{identity_id}"), ("identity_id", identity_id), ("image", portrait)]
        assert console.send_form(f"/api/identities?gallery={gallery}", parts).status == 201
    path = f"{CHECKUP[1]}?gallery={gallery}&limit=2"
    found = checked(console.send("GET", path), *CHECKUP)
    assert found["gallery"]["identity_count"] == 3
    doubles, *others = found["findings"]
    assert (doubles["kind"], doubles["total"], len(doubles["listed"])) == ("probable_double", 3, 2)
    assert doubles["listed"][0]["people"] == [
        {"identity_id": "1", "name": "N1"},
        {"identity_id": "2", "name": "N2"},
    ]
    assert doubles["listed"][0]["value"] > 0.99
    assert {each["kind"] for each in others} == {
        "confusable", "left_out", "disagreeing", "poor_picture", "refused_template",
    }  # fmt: skip
    for identity_id in ("2", "3"):
        console.send("DELETE", f"/api/identities/{identity_id}?gallery={gallery}")
    (first, *_) = console.send("GET", path).json()["findings"]
    assert (first["total"], first["listed"]) == (0, [])


def test_a_bad_request_has_a_clear_answer(console: RunningConsole) -> None:
    for path, status, reason in (
        (f"{CHECKUP[1]}?limit=101", 400, "BAD_REQUEST"),
        (f"{CHECKUP[1]}?gallery=nowhere", 404, "GALLERY_NOT_FOUND"),
    ):
        answer = console.send("GET", path)
        assert (answer.status, answer.reason) == (status, reason)
        checked(answer, *CHECKUP)


def test_an_enroller_may_not(models: Path, tmp_path: Path) -> None:
    tokens, token = tmp_path / "tokens", tmp_path / "token"
    token.write_text(with_token(tokens, "desk", Role.ENROLLER))
    with (
        running_server(token_file=tokens) as server,
        running_console(server.address, server_token_file=token) as console,
    ):
        answer = console.send(*CHECKUP)
        assert (answer.status, answer.reason) == (403, "ROLE_REQUIRED")
        said = console.send("GET", "/api/status").json()
        assert said["may"]["check_gallery"] is False
        assert "operator" in said["missing"]["check_gallery"]
