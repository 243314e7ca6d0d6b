"""A journal that cannot be used keeps no server from starting, and one that fails keeps no frame from its result."""

import asyncio
import os
import time
from contextlib import aclosing
from pathlib import Path

import lmdb
import pytest

from facewire_server.backends.lmdb_journal import crop_table, opening, storage
from facewire_server.backends.lmdb_journal.journal import LmdbJournal
from facewire_server.backends.lmdb_journal.journal_tables import JOURNAL_STORAGE
from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.errors import GalleryDamaged, GalleryFull
from facewire_server.events import Event, JournalFailed
from facewire_server.streams.journal import Crop
from facewire_server.types import Quality
from fakes.gallery import MemoryGallery
from fakes.journals import files_of, open_in, opened_journal
from fakes.tracks import track_event
from fakes.write_lock import held_write_lock

CROP = Crop(b"\xff\xd8 a picture", 9, Quality(64.0, 12.5, 99.0))


@pytest.fixture
def people() -> MemoryGallery:
    return MemoryGallery(model_contract_id="c" * 64, dimension=128)


async def filled(folder: Path, people: MemoryGallery, count: int = 300) -> None:
    with opened_journal(folder, people, keeps_crops=True) as journal:
        stream = await journal.open_stream("door", "default")
        await stream.record([track_event(number) for number in range(1, count + 1)])
        await journal.keep_crop(1, CROP)


async def kept_count(journal: LmdbJournal) -> int:
    _, events = await journal.watch(1, kept_only=True)
    async with asyncio.timeout(30), aclosing(events):
        return len([one async for one in events])


def cut_short(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def overwritten(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[8192:] = b"\xa5" * (len(data) - 8192)
    file.write_bytes(data)


def foreign(file: Path) -> None:
    file.write_bytes(b"something else" * 1000)


def emptied(file: Path) -> None:
    """What is left if the machine lost power just after the file was made."""
    file.write_bytes(b"")


def unreadable_record(file: Path) -> None:
    names = JOURNAL_STORAGE.all_tables
    with lmdb.open(str(file.parent), max_dbs=len(names)) as environment:
        events = environment.open_db(b"events")
        with environment.begin(write=True) as transaction, transaction.cursor(db=events) as cursor:
            cursor.first()
            cursor.put(cursor.key(), b"\xff\xff\xff no record")


def of_another_version(file: Path) -> None:
    with lmdb.open(str(file.parent), max_dbs=7) as environment:
        meta = environment.open_db(b"meta")
        with environment.begin(write=True) as transaction:
            transaction.put(b"format", b"0", db=meta)


@pytest.mark.parametrize(
    "harm", [cut_short, overwritten, foreign, emptied, unreadable_record, of_another_version]
)
async def test_a_journal_that_cannot_be_used_is_put_aside(
    people: MemoryGallery, tmp_path: Path, harm
) -> None:
    folder = tmp_path / "journal"
    for _ in range(2):  # the second one takes the place of the first
        await filled(folder, people)
        harm(folder / "data.mdb")
        journal, replaced = open_in(folder, people, keeps_crops=True)
        try:
            assert replaced is not None
            assert replaced.is_kept
            assert isinstance(journal, LmdbJournal)
            assert await kept_count(journal) == 0
            stream = await journal.open_stream("door", "default")
            await stream.record([track_event(1)])
            assert await kept_count(journal) == 1
            names = files_of(folder).keys()
            assert "damaged.mdb" in names
            assert not [name for name in names if name.startswith("crops/")]
        finally:
            journal.close()


async def test_a_journal_whose_check_was_ended_from_outside_is_left_as_it_is(
    people: MemoryGallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the kernel for want of memory, say: that is no damage."""
    await filled(tmp_path, people)
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    (tmp_path / "killed.py").write_text(killed)
    with monkeypatch.context() as starved:
        starved.setenv("PYTHONPATH", str(tmp_path), prepend=":")
        starved.setattr(opening, "_CHECK", "killed")
        journal, replaced = open_in(tmp_path, people)
    assert isinstance(journal, MemoryJournal)
    assert replaced is not None
    assert not replaced.is_kept
    assert "SIGKILL" in replaced.reason
    with opened_journal(tmp_path, people) as again:
        assert await kept_count(again) == 300


async def test_what_was_put_aside_is_removed_when_it_is_older_than_any_event_may_be(
    people: MemoryGallery, tmp_path: Path
) -> None:
    await filled(tmp_path, people)
    damaged = tmp_path / "damaged.mdb"
    damaged.write_bytes(b"events")
    for age_s, is_kept in ((3000, True), (4000, False)):
        written_s = time.time() - age_s
        os.utime(damaged, (written_s, written_s))
        with opened_journal(tmp_path, people, keep_s=3600.0) as journal:
            await journal.maintain()
        assert damaged.exists() == is_kept


async def test_a_journal_in_use_is_not_put_aside(people: MemoryGallery, tmp_path: Path) -> None:
    """The second process of a server keeps its events in memory, rather than take the storage from under the first."""
    with opened_journal(tmp_path, people) as used:
        stream = await used.open_stream("door", "default")
        journal, replaced = open_in(tmp_path, people)
        assert isinstance(journal, MemoryJournal)
        assert replaced is not None
        assert not replaced.is_kept
        await stream.record([track_event(1)])
        assert await kept_count(used) == 1


async def test_without_a_folder_the_memory_keeps_the_journal(
    people: MemoryGallery, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    journal, replaced = open_in(tmp_path / "file" / "journal", people)
    assert isinstance(journal, MemoryJournal)
    assert replaced is not None
    assert not replaced.is_kept
    stream = await journal.open_stream("door", "default")
    assert (await stream.record([track_event(1)]))[0].event_id
    assert not (await journal.statistics()).is_kept


@pytest.mark.parametrize("fault", ["a disk without room", "pictures that cannot be erased"])
async def test_a_journal_that_can_be_read_and_not_written_keeps_no_server_from_starting(
    people: MemoryGallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    await filled(tmp_path, people)
    if fault == "a disk without room":

        def is_full(self: object, change: object) -> None:
            raise GalleryFull("the disk of the journal is full")

        monkeypatch.setattr(storage.JournalStorage, "write_now", is_full)
    else:
        (tmp_path / "crops" / "a folder").mkdir()
    journal, replaced = open_in(tmp_path, people, keeps_crops=False)
    assert isinstance(journal, MemoryJournal)
    assert replaced is not None
    assert not replaced.is_kept
    monkeypatch.undo()
    with opened_journal(tmp_path, people, keeps_crops=True) as again:  # it was let go of
        assert await kept_count(again) == 300


async def test_a_storage_that_is_held_delays_a_frame_and_loses_its_events_only(
    people: MemoryGallery, tmp_path: Path
) -> None:
    failures: list[Event] = []
    journal, _ = open_in(tmp_path, people, failures.append)
    try:
        stream = await journal.open_stream("door", "default")
        (before,) = await stream.record([track_event(1)])
        with held_write_lock(tmp_path):
            (during,) = await stream.record([track_event(2)])
            await stream.save({1: (1.0,)})
            unkept = await journal.open_stream("yard", "default")
            stream.account(7)
            unkept.account(8)
            assert (unkept.token, unkept.after_sequence) == (b"", 0)
            assert await unkept.end() == ()
            assert journal.new_track_id() > 0
            await journal.maintain()
        (after,) = await stream.record([track_event(3)])
        assert before.event_id < during.event_id < after.event_id
        assert await kept_count(journal) == 2
        assert {type(event) for event in failures} == {JournalFailed}
        assert len(failures) >= 3
    finally:
        journal.close()


async def test_a_storage_that_cannot_be_read_fails_no_scrape(
    people: MemoryGallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Event] = []
    journal, _ = open_in(tmp_path, people, failures.append)

    async def damaged(step: object) -> None:
        raise GalleryDamaged("the journal is damaged: CorruptedError")

    try:
        assert (await journal.statistics()).is_kept
        monkeypatch.setattr(journal._storage, "read", damaged)
        assert not (await journal.statistics()).is_kept
        await journal.maintain()
        assert {type(event) for event in failures} == {JournalFailed}
    finally:
        journal.close()


async def test_events_that_take_more_room_than_allowed_are_fewer(
    people: MemoryGallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_FIXED_BYTES", 1 << 20)
    monkeypatch.setattr(storage, "_EVENT_BYTES", 1)
    failures: list[Event] = []
    journal, _ = open_in(tmp_path, people, failures.append, keep_count=100_000)
    try:
        stream = await journal.open_stream("door", "default")
        sizes = []
        for number in range(1, 600):
            await stream.record([track_event(number + one) for one in range(20)])
            sizes.append((tmp_path / "data.mdb").stat().st_size)
        assert failures == []
        assert 1000 < await kept_count(journal) < 7000
        # Which pages are free varies by a few: it must not grow with the events.
        assert sizes[-1] < 1.05 * sizes[400] < 3 << 20
    finally:
        journal.close()


async def test_a_map_that_a_reader_has_filled_is_used_again_after_it(
    people: MemoryGallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process does that was stopped while it read: its snapshot keeps every page from reuse."""
    monkeypatch.setattr(storage, "_FIXED_BYTES", 1 << 20)
    monkeypatch.setattr(storage, "_EVENT_BYTES", 1)
    failures: list[Event] = []
    journal, _ = open_in(tmp_path, people, failures.append, keep_count=100_000)
    try:
        stream = await journal.open_stream("door", "default")
        await stream.record([track_event(1)])
        snapshot = journal._storage._environment.snapshot()
        number = 1
        while not failures:
            number += 20
            await stream.record([track_event(number + one) for one in range(20)])
        assert "is full" in failures[0].detail  # type: ignore[union-attr]
        snapshot.close()
        del failures[:]
        for _ in range(5):
            number += 20
            last = await stream.record([track_event(number + one) for one in range(20)])
        assert failures == []
        _, events = await journal.watch(last[0].event_id, kept_only=True)
        assert len([one async for one in events]) == 19
        assert (tmp_path / "data.mdb").stat().st_size <= 2 << 21
    finally:
        journal.close()


async def test_the_number_of_events_stays_within_the_limit(
    people: MemoryGallery, tmp_path: Path
) -> None:
    with opened_journal(tmp_path, people, keep_count=5000) as journal:
        stream = await journal.open_stream("door", "default")
        for number in range(1, 6001, 100):
            await stream.record([track_event(number + one) for one in range(100)])
        assert (await journal.statistics()).events == 5000
    with opened_journal(tmp_path, people, keep_count=50) as journal:  # a lower limit
        for _ in range(2):
            await journal.maintain()
        assert (await journal.statistics()).events == 50
        stream = await journal.open_stream("door", "default")
        await stream.record([track_event(1)])
        assert (await journal.statistics()).events == 50


async def test_pictures_are_bounded_in_number_and_bytes(
    people: MemoryGallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crop_table, "MAX_CROPS", 3)
    monkeypatch.setattr(crop_table, "MAX_CROP_BYTES", 1000)
    with opened_journal(tmp_path, people, keeps_crops=True) as journal:
        for number in (1, 2, 3, 4):
            await journal.keep_crop(number, CROP)
        assert sorted(path.name for path in (tmp_path / "crops").iterdir()) == [
            f"{number}.jpg" for number in (2, 3, 4)
        ]
        await journal.keep_crop(5, Crop(b"x" * 990, 1, CROP.quality))
        assert [path.name for path in (tmp_path / "crops").iterdir()] == ["5.jpg"]
        assert (await journal.statistics()).crop_bytes == 990
