"""The audit log of a real server: who did what, no names, and a check that finds what was changed."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire_server.access.roles import Role
from harness.roles import with_token
from harness.running import RunningServer, running_server
from integration.command import environment

NAME = "Eileen Collins"
IDENTITY = "eileen-4711"
PATIENCE_S = 60.0


class Audited(NamedTuple):
    """A server, its data folder, its file of tokens, and tokens by label."""

    server: RunningServer
    data: Path
    file: Path
    tokens: dict[str, str]

    def client(self, label: str) -> facewire.Client:
        return facewire.Client(self.server.address, token=self.tokens[label])

    def lines(self) -> list[dict[str, Any]]:
        text = (self.data / "audit" / "audit.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def audited(models: Path, tmp_path: Path) -> Iterator[Audited]:
    file = tmp_path / "tokens"
    tokens = {"desk": with_token(file, "desk", Role.ENROLLER)}
    tokens["backup"] = with_token(file, "backup", Role.EXPORTER)
    with running_server(token_file=file, data=tmp_path / "data") as server:
        yield Audited(server, tmp_path / "data", file, tokens)


def verified(data: Path, *flags: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "facewire_server", "audit", "verify", "--data", str(data)]
    return subprocess.run(
        [*command, *flags], env=environment(""), capture_output=True, text=True, timeout=60
    )


def test_who_did_what_is_kept_without_names_and_a_change_of_it_is_found(
    audited: Audited, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    portrait = cv2.imencode(".jpg", astronaut[:256, 96:352, ::-1])[1].tobytes()
    with audited.client("desk") as desk:
        desk.create_gallery("staff")
        desk.enroll(IDENTITY, [portrait], display_name=NAME, gallery="staff")
        with pytest.raises(facewire.AuthenticationError, match="needs the role exporter"):
            desk.export_gallery(tmp_path / "refused", gallery="staff")
    with audited.client("backup") as backup:
        backup.export_gallery(tmp_path / "export", gallery="staff")
    with audited.client("desk") as desk:
        desk.delete_identity(IDENTITY, gallery="staff")
    lines = audited.lines()
    said = [(one["who"], one["what"], one["gallery"], one.get("templates")) for one in lines]
    assert said == [
        ("token desk", "create_gallery", "staff", 0),
        ("token desk", "enroll", "staff", 1),
        ("token backup", "export_begins", "staff", None),
        ("token backup", "export", "staff", 1),
        ("token desk", "delete_identity", "staff", 1),
    ]
    # The deletion is of who was enrolled; and only the gallery could say who that was.
    assert lines[1]["record"] == lines[-1]["record"]
    assert all(one["peer"].startswith("ipv4:127.0.0.1") for one in lines)
    path = audited.data / "audit" / "audit.jsonl"
    text = path.read_text()
    assert not re.search(rf"{NAME}|{IDENTITY}|fw_", text)
    done = verified(audited.data)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"5:{lines[-1]['chain']}\n"
    assert verified(audited.data, "--anchor", done.stdout.strip()).returncode == 0
    path.write_text(text.replace("token backup", "token nobody", 1))
    done = verified(audited.data)
    assert (done.returncode, done.stdout) == (1, "")
    assert "audit.jsonl, line 3" in done.stderr


def token_command(audited: Audited, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "facewire_server", "token", *arguments]
    files = ["--token-file", str(audited.file), "--data", str(audited.data)]
    return subprocess.run(
        [*command, *files], env=environment(""), capture_output=True, text=True, timeout=60
    )


def until_line(audited: Audited, **fields: Any) -> dict[str, Any]:
    """Waits for a line of the log: another process sends no event when it has written one."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for line in audited.lines():
            if fields.items() <= line.items():
                return line
        time.sleep(0.05)
    raise AssertionError(f"no such line: {fields}")


def test_who_changed_the_tokens_and_what_the_server_took_is_kept(audited: Audited) -> None:
    added = token_command(audited, "add", "door", "--role", "camera", "--gallery", "staff")
    assert added.returncode == 0
    assert "audit log" not in added.stderr
    line = until_line(audited, what="token_add")
    assert line["who"].startswith("user ")
    about = (line["label"], line["roles"], line["galleries"], line["expires"])
    assert about == ("door", ["camera"], ["staff"], None)
    took = until_line(audited, what="credentials_reload", added=["door"])
    assert (took["who"], took["tokens"], took["revoked"]) == ("server", 3, [])
    assert token_command(audited, "revoke", "desk").returncode == 0
    assert until_line(audited, what="token_revoke")["label"] == "desk"
    until_line(audited, what="credentials_reload", revoked=["desk"], tokens=2, complete=True)
    audited.file.write_text("guessed\n")
    until_line(audited, what="credentials_reload", complete=False)
    text = (audited.data / "audit" / "audit.jsonl").read_text()
    assert added.stdout.strip() not in text
    assert "guessed" not in text
    assert verified(audited.data).returncode == 0


def test_a_token_is_revoked_though_the_audit_log_cannot_be_written(
    audited: Audited, tmp_path: Path
) -> None:
    log = audited.data / "audit" / "audit.jsonl"
    log.unlink(missing_ok=True)
    log.mkdir()  # whoever the command runs as, it cannot write that
    done = token_command(audited, "revoke", "desk")
    assert done.returncode == 0
    assert "not in the audit log" in done.stderr
    elsewhere = audited._replace(data=tmp_path / "elsewhere")
    done = token_command(elsewhere, "revoke", "backup")
    assert done.returncode == 0
    assert "no server's data folder" in done.stderr
    assert not elsewhere.data.exists()


def test_without_an_audit_log_people_can_be_deleted_and_nothing_is_exported(
    audited: Audited, tmp_path: Path
) -> None:
    with audited.client("desk") as desk:
        desk.create_gallery("staff")
        folder = audited.data / "audit"
        (folder / "audit.jsonl").unlink()
        (folder / "audit.jsonl").mkdir()  # whoever the server runs as, it cannot write that
        desk.delete_gallery("staff")
        assert "staff" not in {one.gallery_id for one in desk.galleries()}
    with (
        audited.client("backup") as backup,
        pytest.raises(facewire.UnavailableError, match="no templates leave the server"),
    ):
        backup.export_gallery(tmp_path / "export")
    assert audited.server.log().count('"event": "audit_failed"') >= 2
