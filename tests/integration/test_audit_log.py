"""The audit log of a real server: who did what, no names, and a check that finds what was changed."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
        ("server", "gallery_found", "default", None),
        ("token desk", "create_gallery", "staff", 0),
        ("token desk", "enroll", "staff", 1),
        ("token backup", "export_begins", "staff", None),
        ("token backup", "export", "staff", 1),
        ("token desk", "delete_identity", "staff", 1),
    ]
    # The deletion is of who was enrolled; and only the gallery could say who that was.
    assert lines[2]["record"] == lines[-1]["record"]
    assert all(one["peer"].startswith("ipv4:127.0.0.1") for one in lines[1:])
    path = audited.data / "audit" / "audit.jsonl"
    text = path.read_text()
    assert not re.search(rf"{NAME}|{IDENTITY}|fw_", text)
    done = verified(audited.data)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"6:{lines[-1]['chain']}\n"
    assert verified(audited.data, "--anchor", done.stdout.strip()).returncode == 0
    path.write_text(text.replace("token backup", "token nobody", 1))
    done = verified(audited.data)
    assert (done.returncode, done.stdout) == (1, "")
    assert "audit.jsonl, line 4" in done.stderr


def cut_off(data: Path, count: int) -> None:
    """Removes the last lines of the log, and makes the head agree, as someone does who hides what they did."""
    path = data / "audit" / "audit.jsonl"
    lines = path.read_text().splitlines(keepends=True)[:-count]
    path.write_text("".join(lines))
    last = json.loads(lines[-1])
    (data / "audit" / "head.json").write_text(json.dumps({"n": last["n"], "chain": last["chain"]}))


def test_an_end_that_was_cut_off_with_its_head_is_found_by_the_galleries_revisions(
    audited: Audited,
) -> None:
    with audited.client("desk") as desk:
        desk.create_gallery("staff")
        desk.create_identity(IDENTITY, gallery="staff")
        desk.create_identity("in-default")
        desk.create_gallery("guests")
    assert verified(audited.data).returncode == 0
    cut_off(audited.data, 3)
    done = verified(audited.data)
    assert (done.returncode, done.stdout) == (1, "")
    assert "gallery staff: it is at revision 2, and the last line of it says 1" in done.stderr
    assert "gallery default: it is at revision 2, and the last line of it says 1" in done.stderr
    assert "gallery guests: it is at revision 1, and the log has no line of it" in done.stderr
    assert "the log's end was cut off" in done.stderr
    # The next change of each has a line again, and its revision.
    with audited.client("desk") as desk:
        desk.create_identity("another", gallery="staff")
        desk.delete_gallery("guests")
        desk.create_identity("another")
    assert verified(audited.data).returncode == 0


def gallery_command(data: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "facewire_server", *arguments, "--data", str(data)]
    subprocess.run(command, env=environment(""), check=True, capture_output=True, timeout=100)


def test_the_commands_of_the_machine_have_lines_and_the_galleries_agree(
    audited: Audited, tmp_path: Path
) -> None:
    with audited.client("desk") as desk:
        desk.create_gallery("staff")
        desk.create_identity(IDENTITY, gallery="staff")
    backup = str(tmp_path / "kept")
    gallery_command(audited.data, "gallery", "backup", backup)
    gallery_command(audited.data, "gallery", "compact")
    gallery_command(audited.data, "crops", "drop")
    gallery_command(audited.data, "gallery", "restore", backup, "--replace")
    lines = [one for one in audited.lines() if one["who"].startswith("user ")]
    said = [(one["what"], one.get("gallery"), one.get("revision")) for one in lines]
    assert said == [
        ("backup", None, None),
        ("compact_begins", None, None),
        ("compact", None, None),
        ("crops_drop", None, None),
        ("restore_begins", None, None),
        ("restore", "default", 2),
        ("restore", "staff", 3),
    ]
    assert lines[2]["complete"]
    assert lines[3]["crops"] == 0
    assert lines[-1]["identities"] == 1
    assert [one["replaced"] for one in lines[-2:]] == [1, 2]
    done = verified(audited.data)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(300)
def test_two_workers_write_one_chain_under_concurrent_changes(models: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"

    def change(number: int) -> int:
        with facewire.Client(server.address) as client:  # each may be on another worker
            for each in range(5):
                client.create_identity(f"person-{number}-{each}")
                client.rename_identity(f"person-{number}-{each}", "Another")
                client.delete_identity(f"person-{number}-{each}")
        return number

    with (
        running_server(workers=2, threads=2, data=data) as server,
        ThreadPoolExecutor(8) as threads,
    ):
        changing = [threads.submit(change, number) for number in range(16)]
        while not all(one.done() for one in changing):
            done = verified(data)
            assert done.returncode == 0, done.stderr
        assert sorted(one.result() for one in changing) == list(range(16))
        done = verified(data)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in (data / "audit/audit.jsonl").read_text().splitlines()]
        revisions = [one["revision"] for one in lines if one["what"] != "gallery_found"]
        with facewire.Client(server.address) as client:
            assert sorted(revisions) == list(range(2, client.gallery().revision + 1))
    assert len(revisions) == 16 * 5 * 3


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
