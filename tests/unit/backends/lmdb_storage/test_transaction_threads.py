"""Searches wait for no write, and nothing is closed under a thread that uses it."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, transfer
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.transaction_threads import TransactionThreads
from facewire_server.galleries import transfer as parts
from facewire_server.galleries.records import EnrollmentResult, IdentityInfo, NewIdentity
from fakes.matrix_search import MatrixSearch

CONTRACT = "c" * 64
AXES = np.eye(4, dtype=np.float32)


class HeldSearch(ExactSearch):
    """An engine that waits in each search until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.release = threading.Event(), threading.Event()

    def nearest(self, vectors, probes, k):
        self.begun.set()
        assert self.release.wait(10)
        return super().nearest(vectors, probes, k)


def opened(path: Path, engine, **options: Any) -> LmdbGallery:
    return LmdbGallery(
        path, vector_search=engine, model_contract_id=CONTRACT, dimension=4, **options
    )


async def enroll(gallery: LmdbGallery, number: int, gallery_id: str = "default") -> int:
    return (
        await gallery.enroll(
            gallery_id,
            NewIdentity(f"{number}", create=True),
            [EnrollmentResult(f"{number:032x}")],
            AXES[number : number + 1],
        )
    ).revision


@pytest.fixture
def threads(tmp_path: Path) -> Iterator[TransactionThreads]:
    threads = TransactionThreads(
        Environment(tmp_path, GALLERY_STORAGE, map_bytes=1 << 20, max_bytes=1 << 22), 1
    )
    yield threads
    threads.close()


async def test_a_gallery_is_closed_after_the_search_of_a_cancelled_caller(tmp_path: Path) -> None:
    engine = HeldSearch()
    gallery = opened(tmp_path, engine, read_threads=1)
    searching = asyncio.create_task(gallery.search("default", AXES, 1))
    await asyncio.to_thread(engine.begun.wait)
    queued = asyncio.create_task(gallery.get_gallery("default"))
    await asyncio.sleep(0)
    searching.cancel()
    with ThreadPoolExecutor(1) as closer:
        closing = closer.submit(gallery.close)
        await asyncio.sleep(0.02)
        assert not closing.done()
        assert not searching.done()
        engine.release.set()
        await asyncio.wrap_future(closing)
    await asyncio.wait([searching], timeout=10)
    assert searching.cancelled()
    assert (await queued).gallery_id == "default"
    gallery = opened(tmp_path, ExactSearch())  # the folder is free again
    gallery.close()


async def test_reads_go_on_while_writes_wait(threads: TransactionThreads) -> None:
    begun, release = threading.Event(), threading.Event()
    received: list[int] = []

    def held(transaction: Transaction) -> None:
        begun.set()
        assert release.wait(10)
        transaction.table("meta").put(b"k", b"v")

    async def write(number: int) -> None:
        await threads.write(held)
        received.append(number)

    writes = [asyncio.create_task(write(number)) for number in range(8)]
    await asyncio.to_thread(begun.wait)
    assert await threads.read(lambda transaction: transaction.table("meta").get(b"k")) is None
    writes[0].cancel()  # its commit has begun
    writes[1].cancel()  # its has not
    await asyncio.sleep(0)
    release.set()
    done = await asyncio.gather(*writes, return_exceptions=True)
    assert received == [0, *range(2, 8)]
    assert [one.cancelled() for one in writes] == [True, True, *[False] * 6]
    assert not any(done[2:])
    assert await threads.read(lambda transaction: transaction.table("meta").get(b"k")) == b"v"


async def test_an_engine_may_keep_a_copy_for_each_gallery_and_revision(tmp_path: Path) -> None:
    engine = MatrixSearch()
    gallery = opened(tmp_path, engine)
    first = await enroll(gallery, 1)
    for _ in range(3):
        await gallery.search("default", AXES, 2)
    assert engine.built == [("default", first)]
    other = (await gallery.create_gallery("other", "")).revision
    await gallery.search("other", AXES, 2)
    second = await enroll(gallery, 2)
    (best, *_) = (await gallery.search("default", AXES[2:3], 1)).candidates
    assert best[0].identity_id == "2"
    assert engine.built == [("default", first), ("other", other), ("default", second)]
    # A gallery made again under an id never has a revision that an engine saw before.
    await gallery.delete_gallery("other")
    again = (await gallery.create_gallery("other", "")).revision
    assert again > other
    assert (await gallery.search("other", AXES, 2)).candidates == ((),) * 4
    gallery.close()


async def test_the_statistics_of_a_storage_follow_its_file(tmp_path: Path) -> None:
    gallery = opened(tmp_path, ExactSearch())
    await enroll(gallery, 1)
    before = await gallery.statistics()
    assert before.file_bytes == (tmp_path / "data.mdb").stat().st_size
    assert 0 < before.used_bytes <= before.file_bytes <= before.map_bytes <= before.max_bytes
    assert before.reader_count == 1
    async with gallery.export_records("default"):
        assert (await gallery.statistics()).reader_count == 2
    assert (await gallery.statistics()).reader_count == 1
    for number in range(300):
        await gallery.create_identity("default", f"person-{number}", "x" * 200)
    after = await gallery.statistics()
    assert after.used_bytes > before.used_bytes
    gallery.close()


async def test_an_export_left_open_ends_with_the_gallery(tmp_path: Path) -> None:
    gallery = opened(tmp_path, ExactSearch())
    for number in range(4):
        await enroll(gallery, number)
    async with gallery.export_records("default") as (_, records):
        await anext(records)
        gallery.close()
        with pytest.raises(RuntimeError):
            [record async for record in records]


async def test_a_caller_cancelled_while_an_export_opens_leaves_no_reader_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, release = threading.Event(), threading.Event()
    snapshot = Environment.snapshot

    def held(environment: Environment):
        opened_snapshot = snapshot(environment)
        begun.set()
        assert release.wait(10)
        return opened_snapshot

    monkeypatch.setattr(Environment, "snapshot", held)
    gallery = opened(tmp_path, ExactSearch())

    async def export() -> None:
        async with gallery.export_records("default"):
            raise AssertionError("it was cancelled before")

    exporting = asyncio.create_task(export())
    await asyncio.to_thread(begun.wait)
    exporting.cancel()
    await asyncio.sleep(0)
    release.set()
    await asyncio.wait([exporting], timeout=10)
    assert exporting.cancelled()
    assert (await gallery.statistics()).reader_count == 1  # its own
    gallery.close()


async def test_a_cancelled_import_ends_between_two_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, release = threading.Event(), threading.Event()
    add = transfer._add

    def held(changes, part):
        begun.set()
        assert release.wait(10)
        return add(changes, part)

    monkeypatch.setattr(transfer, "_add", held)
    monkeypatch.setattr(parts, "_PART_RECORDS", 2)
    gallery, read = opened(tmp_path, ExactSearch()), []

    async def records():
        for number in range(6):
            read.append(number)
            yield IdentityInfo(f"{number}", "", 0, 0)

    importing = asyncio.create_task(gallery.import_records("default", CONTRACT, records()))
    await asyncio.to_thread(begun.wait)
    importing.cancel()
    await asyncio.sleep(0)
    release.set()
    await asyncio.wait([importing], timeout=10)
    assert importing.cancelled()
    assert read == [0, 1]
    assert (await gallery.get_gallery("default")).identity_count == 2
    gallery.close()
