"""A power cut at any write: everything acknowledged is there afterwards, or the storage says that it is damaged."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import REPOSITORY
from harness.power_cuts import Cut, cuts, recorded

WRITE = """
import asyncio, os, sys
from pathlib import Path
from integration.gallery_worker import Worker, vector
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
        if number % 3 == 2:
            await worker.delete(number - 1)
            os.write(notes, f"-{number - 1}\\n".encode())
    worker.gallery.close()

asyncio.run(main())
"""

WRITE_WITHOUT_SYNC = f"""
from facewire_server.backends.lmdb_gallery import gallery
gallery.GALLERY_STORAGE = gallery.GALLERY_STORAGE._replace(is_synced=False)
{WRITE}
"""

READ = """
import asyncio, json, sys
from contextlib import closing
from pathlib import Path
from integration.gallery_worker import Worker
from facewire_server.errors import ServerError

async def people(folder):
    try:
        worker = Worker(folder, 1 << 20)
    except (ServerError, OSError) as error:
        return type(error).__name__
    with closing(worker.gallery):
        found = [one.identity_id for one in await worker.gallery.list_identities("default", "", 1000)]
        async with worker.gallery.export_records("default") as (_, records):
            async for _ in records:  # compares the checksum of each block
                pass
        return found

for line in sys.stdin:
    print(json.dumps(asyncio.run(people(Path(line.rstrip("\\n"))))), flush=True)
"""


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
        """Returns the ids of the people, or the name of the error."""
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
    for line in acknowledged:
        (present.add if line[0] == "+" else present.discard)(line[1:])
    return present


def found_after(cut: Cut, folder: Path, reader: Reader) -> list[str] | str:
    """Returns what a server finds after the cut."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if "data.mdb" in cut.names:
        (folder / "data.mdb").write_bytes(cut.names["data.mdb"])
    return reader.people(folder)


def lost(cut: Cut, later: list[str], found: list[str] | str) -> str:
    """Returns what is wrong with what was found, "" if nothing is; `later` is what was acknowledged next."""
    allowed = [expected(cut.acknowledged), expected(later)]
    if isinstance(found, list) and set(found) in allowed:
        return ""
    return f"after record {cut.at}, torn {cut.is_torn}: {found} instead of {allowed}"


def failures(code: str, tmp_path: Path, reader: Reader) -> Iterator[str]:
    """Runs the code, and yields what is wrong after each cut."""
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler (cc) for what records the writes")
    (tmp_path / "data").mkdir()
    every = list(cuts(recorded(code, tmp_path / "data", tmp_path), seed=1))
    assert len(every) > 100  # a check that nothing was recorded would pass
    notes = every[-1].acknowledged
    for cut in every:
        found = found_after(cut, tmp_path / "after", reader)
        if wrong := lost(cut, notes[: len(cut.acknowledged) + 1], found):
            yield wrong


def test_everything_acknowledged_is_there_after_a_power_cut_at_any_write(
    tmp_path: Path, reader: Reader
) -> None:
    assert list(failures(WRITE, tmp_path, reader)) == []


def test_a_storage_that_does_not_wait_for_the_disk_is_found_by_the_same_cuts(
    tmp_path: Path, reader: Reader
) -> None:
    assert next(failures(WRITE_WITHOUT_SYNC, tmp_path, reader), None)
