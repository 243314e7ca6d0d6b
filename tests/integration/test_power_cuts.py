"""A power cut at any write: everything acknowledged is there afterwards, or the storage says that it is damaged."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facewire_server.access.audit_log import AuditLog
from facewire_server.access.audit_verify import verify
from facewire_server.access.token_file import parse_tokens
from harness import REPOSITORY
from harness.power_cuts import Cut, Record, acknowledged, cuts, recorded
from integration.gallery_worker import vector

WRITE = """
import asyncio, os, sys
from pathlib import Path
from integration.gallery_worker import Worker, negative_example_id, vector
import numpy as np
from facewire_server.galleries.records import EnrollmentResult, NewIdentity

async def main():
    folder = Path(sys.argv[1])
    notes = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT)
    worker = Worker(folder / "gallery", 1 << 20)
    for number in range(9):
        count = 1 + 60 * (number % 3)  # some fill a block
        results = [EnrollmentResult(f"{1000 * number + one:032x}") for one in range(count)]
        rows = np.repeat(vector(number), count, axis=0)
        await worker.gallery.enroll("default", NewIdentity(f"{number}", create=True), results, rows)
        os.write(notes, f"+{number}\\n".encode())
        await worker.add_negative_example(number)
        os.write(notes, f"+{number}/{number}\\n".encode())
        if number % 3 == 2:
            await worker.delete(number - 1)
            os.write(notes, f"-{number - 1} -{number - 1}/{number - 1}\\n".encode())
            await worker.gallery.delete_negative_example("default", negative_example_id(number))
            os.write(notes, f"-{number}/{number}\\n".encode())
            first = number - 2
            await worker.gallery.merge_identities("default", f"{number}", f"{first}")
            os.write(notes, f"-{first} -{first}/{first} +{number}/{first}\\n".encode())
    worker.gallery.close()

asyncio.run(main())
"""
"""Its notes have a person by their number, and the negative example 3 of person 5 as 5/3."""

WRITE_WITHOUT_SYNC = f"""
from facewire_server.backends.lmdb_gallery import gallery
gallery.GALLERY_STORAGE = gallery.GALLERY_STORAGE._replace(is_synced=False)
{WRITE}
"""

IMPORT = """
import asyncio, os, sys
from pathlib import Path
from integration.gallery_worker import CONTRACT, Worker, vector
from facewire_server.galleries.records import ExportedTemplate, IdentityInfo, TemplateInfo
from facewire_server.types import Quality

async def records(numbers):
    for number in numbers:
        yield IdentityInfo(f"{number}", "", 1, 5)
        info = TemplateInfo(f"{number:032x}", f"{number}", Quality(1, 2, 3), 0.9, 5, "")
        yield ExportedTemplate(info, vector(number)[0])

async def main():
    folder = Path(sys.argv[1])
    notes = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT)
    worker = Worker(folder / "gallery", 1 << 20)
    for first in range(0, 90, 30):
        numbers = range(first, first + 30)
        await worker.gallery.import_records("default", CONTRACT, records(numbers))
        os.write(notes, (" ".join(f"+{one}" for one in numbers) + "\\n").encode())
    worker.gallery.close()

asyncio.run(main())
"""

PURGE = """
import asyncio, os, sys
from pathlib import Path
from integration.gallery_worker import Worker

async def main():
    folder = Path(sys.argv[1])
    notes = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT)
    worker = Worker(folder / "gallery", 1 << 20)
    for number in range(4):
        await worker.enroll(number)
        os.write(notes, f"+{number}\\n".encode())
    for number in range(2):
        await worker.delete(number)
        os.write(notes, f"-{number}\\n".encode())
        await worker.gallery.purge()
        os.write(notes, f"purged {number}\\n".encode())
    await worker.enroll(9)
    os.write(notes, b"+9\\n")
    worker.gallery.close()

asyncio.run(main())
"""

RESTORE = """
import asyncio, os, sys
from pathlib import Path
from integration.gallery_worker import Worker
from facewire_server.backends.lmdb_gallery.backups import back_up
from facewire_server.backends.lmdb_gallery.restores import restore

async def main():
    folder = Path(sys.argv[1])
    backup = folder.parent / "backup"
    notes = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT)
    for first in (0, 2):
        worker = Worker(folder / "gallery", 1 << 20)
        for number in (first, first + 1):
            await worker.enroll(number)
            os.write(notes, f"+{number}\\n".encode())
        worker.gallery.close()
        if not first:
            back_up(folder / "gallery", backup, lambda _: None)
    restore(backup, folder / "gallery", is_replacing=True)
    os.write(notes, b"-2 -3\\n")

asyncio.run(main())
"""

APPEND = """
import os, sys
from pathlib import Path
from facewire_server.access.audit_log import AuditLog

folder = Path(sys.argv[1])
notes = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT)
log = AuditLog(folder, rotate_bytes=700)
for number in range(30):
    log.append({"what": "enroll", "gallery": "default"})
    os.write(notes, b"line\\n")
"""

ADD = """
import os, sys
from pathlib import Path
from facewire_server.access.roles import Role
from facewire_server.access.token_changes import add_token, revoke_token
from facewire_server.access.tokens import Token

folder = Path(sys.argv[1])
notes = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT)
for number in range(20):
    add_token(folder / "tokens", Token(f"desk-{number}", b"", frozenset({Role.ENROLLER})))
    os.write(notes, f"+desk-{number}\\n".encode())
    if number % 3 == 2:
        revoke_token(folder / "tokens", f"desk-{number - 1}")
        os.write(notes, f"-desk-{number - 1}\\n".encode())
"""

TWO_FOLDERS = """
import os, sys
from pathlib import Path

folder = Path(sys.argv[1])
for name in ("one", "two"):
    (folder / name).mkdir()
    file = os.open(folder / name / "data", os.O_WRONLY | os.O_CREAT | os.O_DSYNC, 0o600)
    os.write(file, name.encode())
    os.fsync(os.open(folder / name, os.O_RDONLY))
"""

NAMELESS = """
import os, stat, sys

os.umask(0)
file = os.open(sys.argv[1], os.O_TMPFILE | os.O_WRONLY, 0o640)
mode = stat.S_IMODE(os.fstat(file).st_mode)
assert mode == 0o640, oct(mode)
os.write(file, b"data")
"""

READ = """
import asyncio, json, sys
from contextlib import closing
from pathlib import Path
from integration.gallery_worker import Worker, negative_example_id
from facewire_server.errors import ServerError
from facewire_server.galleries.records import ExportedNegativeExample

async def people(folder):
    try:
        worker = Worker(folder, 1 << 20)
    except (ServerError, OSError) as error:
        return type(error).__name__
    with closing(worker.gallery):
        found = [one.identity_id for one in await worker.gallery.list_identities("default", "", 1000)]
        async with worker.gallery.export_records("default") as (_, records):
            async for one in records:  # compares the checksum of each block
                if isinstance(one, ExportedNegativeExample):
                    example = int(one.info.negative_example_id, 16) - int(negative_example_id(0), 16)
                    found.append(f"{one.info.identity_id}/{example}")
        return found

for line in sys.stdin:
    print(json.dumps(asyncio.run(people(Path(line.rstrip("\\n"))))), flush=True)
"""


_PART = 64
"""Bytes of a vector that are looked for: of the eight parts seven lie within a sector of a disk, whatever place the vector has."""


class Reader:
    """A process that opens storages, so that one whose pages make no sense does not end the test."""

    def __init__(self) -> None:
        rooms = (REPOSITORY / one for one in ("server", "clients/python", "", "tests"))
        self._process = subprocess.Popen(
            [sys.executable, "-c", READ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(map(str, rooms))},
        )

    def people(self, folder: Path) -> list[str] | str:
        """Returns the ids of the people and their negative examples, or the name of the error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(folder, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"reading it ended with {self._process.wait()}"
        return json.loads(line)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def reader() -> Iterator[Reader]:
    process = Reader()
    yield process
    process.close()


def expected(acknowledged: list[str]) -> set[str]:
    present: set[str] = set()
    for one in " ".join(acknowledged).split():
        if one[0] == "+":
            present.add(one[1:])
        elif one[0] == "-":
            present.discard(one[1:])
    return present


def people_with_vectors(cut: Cut) -> set[int]:
    """Returns the numbers of those of PURGE of whose vector a part is in a file."""
    found = set()
    for number in (*range(4), 9):
        data = vector(number).tobytes()
        parts = [data[start : start + _PART] for start in range(0, len(data), _PART)]
        if any(part in content for part in parts for content in cut.names.values()):
            found.add(number)
    return found


def found_after(cut: Cut, folder: Path, reader: Reader) -> list[str] | str:
    """Returns what a server finds after the cut."""
    put_back(cut, folder)
    return reader.people(folder / "gallery")


def lost(cut: Cut, later: list[str], found: list[str] | str) -> str:
    """Returns what is wrong with what was found, "" if nothing is; `later` is what was acknowledged next."""
    allowed = [expected(cut.acknowledged), expected(later)]
    if isinstance(found, list) and set(found) in allowed:
        return ""
    return f"after record {cut.at}, torn {cut.is_torn}: {found} instead of {allowed}"


def records_of(code: str, tmp_path: Path) -> list[Record]:
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler (cc) for what records the writes")
    (tmp_path / "data").mkdir()
    return recorded(code, tmp_path / "data", tmp_path)


def recorded_cuts(code: str, tmp_path: Path) -> Iterator[Cut]:
    return cuts(records_of(code, tmp_path), tmp_path / "data", seed=1)


def every_cut(code: str, tmp_path: Path) -> tuple[list[str], Iterator[Cut]]:
    """Runs the code; returns what it has acknowledged in the end, and the files after a cut at each record.

    The files are made one cut after the other: those of all take gigabytes.
    """
    records = records_of(code, tmp_path)

    def checked() -> Iterator[Cut]:
        count = 0
        for cut in cuts(records, tmp_path / "data", seed=1):
            count += 1
            yield cut
        assert count > 100  # a check that nothing was recorded would pass

    return acknowledged(records), checked()


def failures(code: str, tmp_path: Path, reader: Reader) -> Iterator[str]:
    """Runs the code, and yields what is wrong after each cut."""
    notes, every = every_cut(code, tmp_path)
    for cut in every:
        found = found_after(cut, tmp_path / "after", reader)
        if wrong := lost(cut, notes[: len(cut.acknowledged) + 1], found):
            yield wrong


def test_files_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    *_, last = recorded_cuts(TWO_FOLDERS, tmp_path)
    assert last.names == {"one/data": b"one", "two/data": b"two"}


def test_a_file_without_a_name_has_the_mode_that_was_asked_for_and_is_gone(tmp_path: Path) -> None:
    cut = None
    for cut in recorded_cuts(NAMELESS, tmp_path):
        assert cut.names == {}
    assert cut, "the write was not recorded"


def test_no_vector_that_was_purged_is_in_a_file_after_a_power_cut(tmp_path: Path) -> None:
    before: set[int] = set()
    for cut in every_cut(PURGE, tmp_path)[1]:
        purged = {int(one.split()[1]) for one in cut.acknowledged if one.startswith("purged ")}
        found = people_with_vectors(cut)
        assert not found & purged, f"after record {cut.at}, torn {cut.is_torn}"
        before |= found
    assert before == {*range(4), 9}, "those who were purged had been in a file before"


@pytest.mark.timeout(600)  # hundreds of storages are opened
@pytest.mark.parametrize(
    "code", [WRITE, IMPORT, PURGE, RESTORE], ids=["write", "import", "purge", "restore"]
)
def test_everything_acknowledged_is_there_after_a_power_cut_at_any_write(
    code: str, tmp_path: Path, reader: Reader
) -> None:
    assert list(failures(code, tmp_path, reader)) == []


def test_a_storage_that_does_not_wait_for_the_disk_is_found_by_the_same_cuts(
    tmp_path: Path, reader: Reader
) -> None:
    assert next(failures(WRITE_WITHOUT_SYNC, tmp_path, reader), None)


def put_back(cut: Cut, folder: Path) -> None:
    """Writes the files that are found after the cut."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in cut.names.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(content)


def test_every_line_of_the_audit_log_is_there_after_a_power_cut_and_the_next_one_follows(
    tmp_path: Path,
) -> None:
    for cut in every_cut(APPEND, tmp_path)[1]:
        put_back(cut, tmp_path / "after")
        AuditLog(tmp_path / "after").append({"what": "enroll"})
        last = verify(tmp_path / "after").last.number
        known = len(cut.acknowledged)
        assert last in (known + 1, known + 2), f"after record {cut.at}, torn {cut.is_torn}"


def test_every_token_that_was_shown_is_valid_after_a_power_cut_and_none_that_was_revoked(
    tmp_path: Path,
) -> None:
    notes, every = every_cut(ADD, tmp_path)
    for cut in every:
        text = cut.names.get("tokens", b"").decode()
        found = {one.label for one in parse_tokens(text)} if text else set()
        later = notes[: len(cut.acknowledged) + 1]
        assert found in (expected(cut.acknowledged), expected(later)), f"after record {cut.at}"
