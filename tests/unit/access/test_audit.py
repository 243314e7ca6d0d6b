"""The audit log: whatever was changed, removed, inserted, moved or cut off is found."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from facewire_server.access.audit_lines import START, AuditLineError, Link
from facewire_server.access.audit_log import CURRENT, HEAD, AuditLog, log_files
from facewire_server.access.audit_revisions import Logged
from facewire_server.access.audit_verify import verify
from fakes.python import PATHS

APPEND = """
import sys
from pathlib import Path
from facewire_server.access.audit_log import AuditLog
log = AuditLog(Path(sys.argv[1]), rotate_bytes=2000)
for number in range(int(sys.argv[3])):
    print(log.append({"who": sys.argv[2], "number": number}).chain, flush=True)
"""


def appended(folder: Path, count: int, rotate_bytes: int = 1 << 20) -> list[Link]:
    log = AuditLog(folder, rotate_bytes=rotate_bytes)
    return [log.append({"who": "token door", "number": number}) for number in range(count)]


def lines(folder: Path) -> list[bytes]:
    return (folder / CURRENT).read_bytes().splitlines(keepends=True)


def appending(folder: Path, who: str, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", APPEND, folder, who, str(count)],
        env=os.environ | {"PYTHONPATH": PATHS},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_was_appended_is_whole_and_goes_on_in_another_process(tmp_path: Path) -> None:
    assert verify(tmp_path).last == START
    first = appended(tmp_path, 3)
    assert verify(tmp_path).last == first[-1]
    second = appended(tmp_path, 2)
    assert [link.number for link in (*first, *second)] == [1, 2, 3, 4, 5]
    assert verify(tmp_path, first + second).last == second[-1]
    fields = json.loads(lines(tmp_path)[1])
    assert (fields["n"], fields["who"], fields["number"]) == (2, "token door", 1)
    assert (tmp_path / CURRENT).stat().st_mode & 0o777 == 0o600


Damage = Callable[[list[bytes]], list[bytes]]
DAMAGES: dict[str, Damage] = {
    "changed": lambda old: [*old[:3], old[3].replace(b"door", b"gate"), *old[4:]],
    "the first one changed": lambda old: [old[0].replace(b"door", b"gate"), *old[1:]],
    "the last one changed": lambda old: [*old[:-1], old[-1].replace(b"door", b"gate")],
    "written in another way": lambda old: [*old[:3], old[3].replace(b":", b": ", 1), *old[4:]],
    "a byte more": lambda old: [*old[:3], old[3][:-1] + b" \n", *old[4:]],
    "removed": lambda old: [*old[:3], *old[4:]],
    "the first one removed": lambda old: old[1:],
    "the last one removed": lambda old: old[:-1],
    "twice": lambda old: [*old[:4], *old[3:]],
    "moved": lambda old: [*old[:3], old[4], old[3], *old[5:]],
    "inserted": lambda old: [*old[:3], b'{"n":4,"chain":"' + b"0" * 64 + b'"}\n', *old[3:]],
    "an empty line": lambda old: [*old[:3], b"\n", *old[3:]],
    "no text": lambda old: [*old[:3], b"\xff\n", *old[3:]],
    "cut": lambda old: [*old[:-1], old[-1][:-9]],
    "all": lambda old: [],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_log_that_was_changed_is_found(tmp_path: Path, damage: Damage) -> None:
    appended(tmp_path, 8)
    (tmp_path / CURRENT).write_bytes(b"".join(damage(lines(tmp_path))))
    with pytest.raises(AuditLineError):
        verify(tmp_path)


@pytest.mark.parametrize("byte", range(0, 300, 7))
def test_whichever_byte_is_changed_it_is_found(tmp_path: Path, byte: int) -> None:
    appended(tmp_path, 3)
    data = bytearray((tmp_path / CURRENT).read_bytes())
    data[byte] ^= 1
    (tmp_path / CURRENT).write_bytes(data)
    with pytest.raises(AuditLineError):
        verify(tmp_path)


def test_an_end_that_was_cut_off_with_its_head_is_found_by_an_anchor_only(tmp_path: Path) -> None:
    links = appended(tmp_path, 5)
    (tmp_path / CURRENT).write_bytes(b"".join(lines(tmp_path)[:3]))
    (tmp_path / HEAD).write_text(json.dumps({"n": 3, "chain": links[2].chain}))
    assert verify(tmp_path, links[:3]).last == links[2]
    with pytest.raises(AuditLineError, match="line 5 is not what it was"):
        verify(tmp_path, links[4:])


def test_a_log_that_was_made_anew_as_a_whole_is_found_by_an_anchor_only(tmp_path: Path) -> None:
    anchor = appended(tmp_path, 3)[-1]
    for file in tmp_path.iterdir():
        file.unlink()
    appended(tmp_path, 4)
    verify(tmp_path)
    with pytest.raises(AuditLineError, match="line 3 is not what it was"):
        verify(tmp_path, [anchor])


def test_the_chain_goes_on_in_the_next_file(tmp_path: Path) -> None:
    links = appended(tmp_path, 40, rotate_bytes=1000)
    files = log_files(tmp_path)
    assert len(files) > 4
    assert files[0].name == "audit-0000000001.jsonl"
    assert verify(tmp_path).last == links[-1]
    taken = len(files[0].read_bytes().splitlines())
    files[2].rename(tmp_path / "aside")
    with pytest.raises(AuditLineError):
        verify(tmp_path)
    (tmp_path / "aside").rename(files[2])
    files[0].unlink()
    with pytest.raises(AuditLineError, match=f"lines 1 to {taken} are missing"):
        verify(tmp_path)
    with pytest.raises(AuditLineError, match="are missing"):
        verify(tmp_path, [links[taken]])
    assert verify(tmp_path, [links[taken - 1], links[-1]]).last == links[-1]


def test_the_chain_goes_on_after_a_crash_between_two_files(tmp_path: Path) -> None:
    links = appended(tmp_path, 8)
    (tmp_path / CURRENT).rename(tmp_path / "audit-0000000001.jsonl")
    assert appended(tmp_path, 1)[0].number == 9
    verify(tmp_path, links)


@pytest.mark.parametrize("cut", [1, 40])
def test_a_line_that_a_crash_cut_short_is_no_damage_and_goes_with_the_next_one(
    tmp_path: Path, cut: int
) -> None:
    links = appended(tmp_path, 2)
    head = (tmp_path / HEAD).read_bytes()
    appended(tmp_path, 1)
    data = (tmp_path / CURRENT).read_bytes()
    (tmp_path / CURRENT).write_bytes(data[:-cut])
    (tmp_path / HEAD).write_bytes(head)  # it is written after the line
    assert verify(tmp_path).last == links[-1]
    assert verify(tmp_path).cut_bytes > 0
    assert appended(tmp_path, 1)[0].number == 3
    assert verify(tmp_path).cut_bytes == 0


def test_nothing_is_appended_to_what_is_no_log(tmp_path: Path) -> None:
    (tmp_path / CURRENT).write_text("no log\n")
    with pytest.raises(AuditLineError):
        appended(tmp_path, 1)
    (tmp_path / CURRENT).unlink()
    other = tmp_path / "other"
    other.write_text("")
    (tmp_path / CURRENT).symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        appended(tmp_path, 1)
    assert other.read_text() == ""


def test_processes_that_append_at_once_make_one_chain(tmp_path: Path) -> None:
    running = [appending(tmp_path, name, 60) for name in "abc"]
    chains = {line for one in running for line in one.communicate(timeout=120)[0].split()}
    assert verify(tmp_path).last.number == len(chains) == 180


def test_a_log_that_processes_append_to_is_found_whole_at_any_moment(tmp_path: Path) -> None:
    running = [appending(tmp_path, name, 150) for name in "abc"]
    for one in running:
        assert one.stdout is not None
        one.stdout.readline()
    seen = []
    while any(one.poll() is None for one in running):
        found = verify(tmp_path)
        assert found.cut_bytes == 0
        seen.append(found.last.number)
    for one in running:
        one.communicate(timeout=120)
        assert one.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 1
    assert verify(tmp_path).last.number == 450
    assert len(log_files(tmp_path)) > 10


def test_a_head_that_is_behind_must_be_a_line_of_the_log(tmp_path: Path) -> None:
    links = appended(tmp_path, 4)
    head = tmp_path / HEAD
    head.write_text(json.dumps({"n": 3, "chain": links[2].chain}))
    verify(tmp_path)
    head.write_text(json.dumps({"n": 3, "chain": "0" * 64}))
    with pytest.raises(AuditLineError, match="line 3 is not what it was"):
        verify(tmp_path)


def test_a_line_that_is_on_the_disk_is_kept_also_if_the_head_cannot_be(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.append({})
    (tmp_path / f".{HEAD}").mkdir()
    assert log.append({}).number == 2
    (tmp_path / f".{HEAD}").rmdir()
    assert verify(tmp_path).last.number == 2


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    for _ in range(5):
        process = appending(tmp_path, "killed", 10_000)
        assert process.stdout is not None
        acknowledged += [process.stdout.readline().strip() for _ in range(7)]
        process.send_signal(signal.SIGKILL)
        process.communicate()
    text = b"".join(path.read_bytes() for path in log_files(tmp_path)).decode()
    assert all(chain in text for chain in acknowledged)
    AuditLog(tmp_path).append({})
    verify(tmp_path)


def logged(*fields: Mapping[str, object]) -> Logged:
    found = Logged()
    for number, each in enumerate(fields, start=1):
        found.take(json.dumps({"n": number, **each}).encode())
    return found


def test_a_gallery_that_is_ahead_of_the_log_is_found() -> None:
    found = logged(
        {"what": "gallery_found", "gallery": "default", "revision": 1},
        {"what": "enroll", "gallery": "default", "revision": 3},
        {"what": "enroll", "gallery": "default", "revision": 2},  # written by another worker, later
        {"what": "purge", "deletions": 4},
    )
    assert found.missing({"default": 3}) == {}
    assert found.missing({"default": 2}) == {}  # changed since its revision was read
    assert (
        "at revision 4, and the last line of it says 3" in found.missing({"default": 4})["default"]
    )
    assert "no line" in found.missing({"default": 3, "staff": 1})["staff"]


def test_an_import_that_is_under_way_has_its_line_at_its_end() -> None:
    begun = {"what": "import_begins", "gallery": "staff"}
    ended = {"what": "import", "gallery": "staff", "revision": 7}
    found = logged({"what": "create_gallery", "gallery": "staff", "revision": 1}, begun)
    assert (found.missing({"staff": 5}), found.imports) == ({}, {"staff"})
    found = logged(begun, ended)
    assert found.imports == set()
    assert list(found.missing({"staff": 8})) == ["staff"]


def test_of_lines_that_were_put_aside_nothing_is_missed() -> None:
    found = Logged()
    found.take(b'{"n":9,"what":"enroll","gallery":"staff","revision":4}')
    assert found.missing({"staff": 4, "default": 7}) == {}
    assert list(found.missing({"staff": 5, "default": 7})) == ["staff"]
