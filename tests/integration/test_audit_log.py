"""The audit log of a real server: who did what, no names, and a check that finds what was changed."""

import json
import re
import subprocess
import sys
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


class Audited(NamedTuple):
    """A server, its data folder, and tokens by label."""

    server: RunningServer
    data: Path
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
        yield Audited(server, tmp_path / "data", tokens)


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
