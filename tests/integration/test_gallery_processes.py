"""Several processes on one gallery: nothing is lost, nothing is late, and nobody's death hurts others."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.errors import GalleryFull
from facewire_server.galleries.records import EnrollmentResult, ExportedTemplate, NewIdentity

WORKER = Path(__file__).with_name("gallery_worker.py")
SERVER = Path(__file__).parents[2] / "server"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SERVER)}
DIMENSION = 128
CONTRACT = "c" * 64
SMALL_MAP = 1 << 20


class Process:
    """A worker, and the pipe to it."""

    def __init__(
        self, folder: Path, map_bytes: int = 1 << 30, prefix: tuple[str, ...] = ()
    ) -> None:
        self._process = subprocess.Popen(
            [*prefix, sys.executable, str(WORKER), str(folder), str(map_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, *call) -> None:
        print(json.dumps(call), file=self._process.stdin, flush=True)

    def hear(self):
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        return json.loads(line)

    def ask(self, *call):
        self.say(*call)
        return self.hear()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def finish(self) -> tuple[int, str]:
        """Ends the worker; its exit status and what it complained of."""
        _, complaint = self._process.communicate(timeout=30)
        return self._process.returncode, complaint


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    processes: list[Process] = []

    def started(**options) -> Process:
        process = Process(tmp_path / "data", **options)
        processes.append(process)
        assert process.hear() == "ready"
        return process

    yield started
    for process in processes:
        process.kill()
        process.finish()


def open_here(tmp_path: Path, **sizes: Any) -> LmdbGallery:
    return LmdbGallery(
        tmp_path / "data",
        vector_search=ExactSearch(),
        model_contract_id=CONTRACT,
        dimension=DIMENSION,
        **sizes,
    )


async def assert_whole(gallery: LmdbGallery, numbers: set[int]) -> None:
    """The gallery holds these, each found by search, and its counts and export agree."""
    async with gallery.export_records("default") as (info, records):
        templates = [one async for one in records if isinstance(one, ExportedTemplate)]
    assert {int(one.info.identity_id) for one in templates} == numbers
    assert info.identity_count == info.template_count == len(templates) == len(numbers)
    for start in range(0, len(templates), 100):
        probes = np.stack([one.embedding for one in templates[start : start + 100]])
        result = await gallery.search("default", probes, 1)
        assert [one.template_id for (one,) in result.candidates] == [
            one.info.template_id for one in templates[start : start + 100]
        ]


def test_a_commit_of_one_process_is_seen_by_the_next_search_of_the_other(start):
    one, other = start(), start()
    for number in range(30):
        writer, reader = (one, other) if number % 2 else (other, one)
        revision = writer.ask("enroll", number)
        assert reader.ask("search", number) == [revision, [[f"{number}", 1.0]]]
    revision = one.ask("delete", 7)
    seen, ((best, _),) = other.ask("search", 7)
    assert seen == revision
    assert best != "7"


async def test_two_processes_that_write_at_once_lose_nothing(start, tmp_path: Path):
    one, other = start(), start()
    one.say("enroll_range", 0, 150)
    other.say("enroll_range", 1000, 1150)
    last = max(one.hear(), other.hear())
    one.kill()
    other.kill()
    gallery = open_here(tmp_path)
    assert (await gallery.get_gallery("default")).revision == last == 1 + 300
    await assert_whole(gallery, {*range(150), *range(1000, 1150)})
    gallery.close()


async def test_a_killed_writer_leaves_all_it_acknowledged_and_a_storage_that_works(
    start, tmp_path: Path
):
    survivor = start()
    acknowledged: set[int] = set()
    for turn in range(3):
        writer = start()
        writer.say("enroll_forever", 10_000 * turn)
        for _ in range(40):
            acknowledged.add(writer.hear())
        writer.kill()
        while line := writer._process.stdout.readline():  # acknowledged before it died
            acknowledged.add(json.loads(line))
        assert survivor.ask("search", 10_000 * turn + 39)[1] == [[f"{10_000 * turn + 39}", 1.0]]
        survivor.ask("enroll", 10_000 * turn + 9_999)
        acknowledged.add(10_000 * turn + 9_999)
    survivor.kill()
    gallery = open_here(tmp_path)
    async with gallery.export_records("default") as (_, records):
        templates = [one async for one in records if isinstance(one, ExportedTemplate)]
    present = {int(one.info.identity_id) for one in templates}
    assert present >= acknowledged
    assert len(present - acknowledged) <= 3  # committed, and killed before it could say so
    await assert_whole(gallery, present)
    gallery.close()


async def test_a_killed_reader_does_not_keep_old_pages_for_ever(start, tmp_path: Path):
    gallery = open_here(tmp_path)
    reader = start()
    reader.ask("enroll", 1)
    assert reader.ask("start_export") == "1"
    assert (await gallery.statistics()).reader_count == 2  # its own transaction, and the export
    reader.kill()
    assert (await gallery.statistics()).reader_count == 2
    await gallery.create_identity("default", "anybody", "")
    assert (await gallery.statistics()).reader_count == 1
    gallery.close()


def test_a_map_that_grows_in_one_process_is_adopted_by_the_others(start, tmp_path: Path):
    writer, reader = start(map_bytes=SMALL_MAP), start(map_bytes=SMALL_MAP)
    reader.say("search_until", 4000)
    for number in range(40):
        assert writer.ask("enroll_many", number, 100) == 2 + number
    assert reader.hear() > 0
    assert (tmp_path / "data" / "data.mdb").stat().st_size > 2 * SMALL_MAP
    assert reader.ask("search", 39) == [41, [["39", 1.0]]]
    for number in range(40, 80):
        assert reader.ask("enroll_many", number, 100) == 2 + number
    assert writer.ask("counts") == [80, 8000]
    assert writer.ask("search", 79) == [81, [["79", 1.0]]]
    assert writer.ask("enroll", 9999) == 82
    for process in (writer, reader):
        assert process.finish() == (0, "")


def _may_unshare(*options: str) -> tuple[str, ...]:
    command = ("unshare", "--map-root-user", *options)
    if not shutil.which("unshare") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip(f"may not make namespaces here ({' '.join(options)})")
    return command


def test_a_second_container_is_told_why_it_cannot_use_the_folder(start, tmp_path: Path):
    prefix = _may_unshare("--pid", "--fork", "--mount-proc")
    start()
    stranger = Process(tmp_path / "data", prefix=prefix)
    status, complaint = stranger.finish()
    assert status != 0
    assert "in use by another container" in complaint


FILL_THE_DISK = """
import asyncio, sys
from gallery_worker import Worker
from facewire_server.errors import GalleryFull

async def main():
    worker = Worker(sys.argv[1], 1 << 30)
    number = 0
    try:
        while number < 100_000:
            await worker.enroll(number)
            number += 1
    except GalleryFull:
        pass
    assert number > 100
    assert await worker.counts() == [number, number]
    assert (await worker.search(number - 1))[1] == [[f"{number - 1}", 1.0]]
    worker.gallery.close()
    print("full and whole")

asyncio.run(main())
"""


def test_a_full_disk_is_a_full_gallery_that_can_still_be_read(tmp_path: Path):
    prefix = _may_unshare("--mount")
    script = 'mount -t tmpfs -o size=5m tmpfs "$1" && exec "$2" -c "$3" "$1/data"'
    done = subprocess.run(
        [*prefix, "sh", "-c", script, "sh", str(tmp_path), sys.executable, FILL_THE_DISK],
        env={**ENVIRONMENT, "PYTHONPATH": f"{SERVER}{os.pathsep}{WORKER.parent}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (done.stdout, done.stderr) == ("full and whole\n", "")


FORGET_ON_A_FULL_DISK = """
import asyncio, contextlib, pathlib, sys
import numpy as np
from gallery_worker import Worker, vector
from facewire_server.errors import GalleryFull
from facewire_server.galleries.records import EnrollmentResult, NewIdentity

async def enroll(worker, number):
    rows = np.repeat(vector(number), 248, axis=0)  # a block
    results = [EnrollmentResult(f"{number * 1000 + one:032x}") for one in range(248)]
    await worker.gallery.enroll("default", NewIdentity(f"{number}", create=True), results, rows)

async def main():
    folder = pathlib.Path(sys.argv[1])
    worker = Worker(str(folder), 1 << 30)
    assert (folder / "reserve").stat().st_blocks * 512 >= 16 << 20
    number = 0
    try:
        while number < 10_000:
            await enroll(worker, number)
            number += 1
    except GalleryFull:
        pass
    assert number > 20
    # What is left is taken by others.
    with (folder.parent / "other").open("wb", buffering=0) as other, contextlib.suppress(OSError):
        while other.write(bytes(4096)):
            pass
    for one in range(number):
        await worker.delete(one)
    assert await worker.counts() == [0, 0]
    await enroll(worker, number)  # into the room that the deleted have left
    worker.gallery.close()
    print("forgotten")

asyncio.run(main())
"""


def test_on_a_full_disk_people_can_be_deleted(tmp_path: Path):
    prefix = _may_unshare("--mount")
    script = 'mount -t tmpfs -o size=32m tmpfs "$1" && exec "$2" -c "$3" "$1/data"'
    done = subprocess.run(
        [*prefix, "sh", "-c", script, "sh", str(tmp_path), sys.executable, FORGET_ON_A_FULL_DISK],
        env={**ENVIRONMENT, "PYTHONPATH": f"{SERVER}{os.pathsep}{WORKER.parent}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.stdout, done.stderr) == ("forgotten\n", "")


async def test_the_quota_counts_for_the_whole_file(tmp_path: Path):
    gallery = open_here(tmp_path, map_bytes=SMALL_MAP, max_bytes=4 * SMALL_MAP)
    rows = np.eye(DIMENSION, dtype=np.float32)
    with pytest.raises(GalleryFull):  # noqa: PT012  # whichever write is the first without room
        for number in range(1000):
            results = [EnrollmentResult(f"{number * 1000 + one:032x}") for one in range(DIMENSION)]
            await gallery.enroll("default", NewIdentity(f"{number}", create=True), results, rows)
    gallery.close()
    assert (tmp_path / "data" / "data.mdb").stat().st_size <= 4 * SMALL_MAP
