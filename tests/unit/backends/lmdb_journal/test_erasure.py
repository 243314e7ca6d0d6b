"""No file of the journal ever holds a name; of a deleted person nothing is left that could become one again, and no picture."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from facewire_server.backends.lmdb_journal.entries import Entries
from facewire_server.backends.lmdb_journal.journal import LmdbJournal
from facewire_server.backends.lmdb_journal.stream_table import StreamTable
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.galleries.records import PersonReference
from facewire_server.streams.journal import Crop
from facewire_server.types import Quality, TrackEvent, TrackState
from fakes.gallery import MemoryGallery
from fakes.journals import files_of, opened_journal
from fakes.tracks import TEMPLATE_ID, ambiguous, known, track_event, unknown

QUALITY = Quality(64.0, 12.5, 99.0, 7.25, 11.5, -0.125, 0.25)
PEOPLE = ("anna.altmann", "benno.berger", "clara.conrad")
SECRETS = [
    *(name.encode() for name in PEOPLE),
    *(f"Name of {name}".encode() for name in PEOPLE),
    b"a bystander",
    b"the nearest",
    TEMPLATE_ID.encode(),
    bytes.fromhex(TEMPLATE_ID),
]


@pytest.fixture
async def people() -> MemoryGallery:
    gallery = MemoryGallery(model_contract_id="c" * 64, dimension=128)
    for name in PEOPLE:
        await gallery.create_identity("default", name, f"Name of {name}")
    return gallery


@pytest.fixture
async def journal(people: MemoryGallery, tmp_path: Path) -> AsyncIterator[LmdbJournal]:
    with opened_journal(tmp_path / "journal", people, keeps_crops=True) as journal:
        yield journal


async def recorded(journal: LmdbJournal) -> None:
    """Events and open tracks of every kind that can refer to people."""
    stream = await journal.open_stream("door", "default")
    anna, ben, clara = PEOPLE
    for number in range(20):
        await stream.record(
            [
                track_event(10 * number + 1, known(anna)),
                track_event(10 * number + 2, ambiguous(ben, anna)),
                track_event(10 * number + 3, known(ben)),
                track_event(10 * number + 1, state=TrackState.RETRACTED, previous_identity_id=anna),
                track_event(10 * number + 4, known(clara)),
                track_event(10 * number + 5, unknown()),
            ]
        )
    await stream.save({1: (1.0, 2.0), 2: (3.0,)})


def found(folder: Path, secrets: list[bytes]) -> list[tuple[str, bytes]]:
    files = files_of(folder / "journal")
    assert {"data.mdb", "accounts"} <= files.keys()
    return [(name, one) for name, data in files.items() for one in secrets if one in data]


async def test_no_file_holds_a_name_an_id_or_a_token(journal: LmdbJournal, tmp_path: Path) -> None:
    await recorded(journal)
    stream = await journal.open_stream("door", "default")
    secrets = [*SECRETS, stream.token, stream.token.hex().encode()]
    assert found(tmp_path, secrets) == []
    assert found(tmp_path, [b"door"]), "the test would not find a name"


async def test_nothing_refers_to_a_deleted_person(
    journal: LmdbJournal, people: MemoryGallery
) -> None:
    await recorded(journal)
    references = await people.references("default", PEOPLE)
    await people.delete_identity("default", PEOPLE[0])
    await journal.maintain()

    def referred(transaction: Transaction) -> tuple[set[PersonReference], ...]:
        entries, accounts = Entries(transaction), journal._storage.accounts
        kept = entries.after(0, 10_000)
        return (
            {one for event in kept for one in event.people},
            set(entries.people()),
            set(StreamTable(transaction, accounts).people()),
        )

    ben, clara = (references[name] for name in PEOPLE[1:])
    assert await journal._storage.read(referred) == ({ben, clara}, {ben, clara}, {ben, clara})
    assert (await journal.statistics()).events == 20 * 4  # two of six were about her


async def test_the_pictures_of_a_deleted_person_are_in_no_file(
    journal: LmdbJournal, people: MemoryGallery, tmp_path: Path
) -> None:
    stream = await journal.open_stream("door", "default")
    marks = {number: f"picture {number} of a face".encode() * 100 for number in (1, 2, 3, 4)}
    decisions = {1: known(PEOPLE[0]), 2: ambiguous(PEOPLE[1], PEOPLE[0]), 3: unknown()}
    for number, mark in marks.items():
        await journal.keep_crop(number, Crop(mark + b" an earlier one", 1, QUALITY))
        await journal.keep_crop(number, Crop(mark, 2, QUALITY))
        await stream.record([track_event(number, decisions.get(number, known(PEOPLE[2])))])
    await stream.record(
        [track_event(3, state=TrackState.RETRACTED, previous_identity_id=PEOPLE[0])]
    )
    assert {len(found(tmp_path, [mark])) for mark in marks.values()} == {1}
    held = {number: (tmp_path / f"journal/crops/{number}.jpg").open("rb") for number in marks}
    await people.delete_identity("default", PEOPLE[0])
    await journal.maintain()
    left = [number for number, mark in marks.items() if found(tmp_path, [mark])]
    assert left == [4]
    for number, file in held.items():  # what was unlinked was overwritten first
        with file:
            assert (set(file.read()) == {0}) == (number != 4)
    assert (await journal.statistics()).crops == 1


@pytest.mark.parametrize("gallery_id", ["default", "staff"])
async def test_a_gallery_takes_events_and_pictures_along(
    journal: LmdbJournal, people: MemoryGallery, tmp_path: Path, gallery_id: str
) -> None:
    await people.create_gallery("staff", "")
    await people.create_identity("staff", "dora", "")
    person = {"default": PEOPLE[0], "staff": "dora"}[gallery_id]
    stream = await journal.open_stream("door", gallery_id)
    mark = b"a picture of a face" * 10
    await journal.keep_crop(1, Crop(mark, 1, QUALITY))
    await stream.record([track_event(1, known(person), gallery_id=gallery_id)])
    await people.delete_gallery(gallery_id)  # "default" is emptied
    await journal.maintain()
    assert found(tmp_path, [mark]) == []
    assert (await journal.statistics()).events == 0


async def test_who_is_deleted_while_the_server_is_down_is_forgotten_after_its_start(
    people: MemoryGallery, tmp_path: Path
) -> None:
    mark = b"a picture of a face" * 10
    with opened_journal(tmp_path / "journal", people, keeps_crops=True) as journal:
        await recorded(journal)
        await journal.keep_crop(1, Crop(mark, 1, QUALITY))
    await people.delete_identity("default", PEOPLE[0])
    with opened_journal(tmp_path / "journal", people, keeps_crops=True) as journal:
        await journal.maintain()
        assert (await journal.statistics()).events == 20 * 4
    assert found(tmp_path, [mark]) == []


async def test_pictures_are_erased_when_they_are_no_longer_allowed(
    people: MemoryGallery, tmp_path: Path
) -> None:
    mark = b"a picture of a face" * 10
    with opened_journal(tmp_path / "journal", people, keeps_crops=True) as journal:
        await journal.keep_crop(1, Crop(mark, 1, QUALITY))
    assert found(tmp_path, [mark])
    with opened_journal(tmp_path / "journal", people) as journal:
        assert found(tmp_path, [mark]) == []
        assert (await journal.statistics()).crops == 0
    with opened_journal(tmp_path / "journal", people, keeps_crops=True) as journal:
        assert (await journal.statistics()).crop_bytes == 0


async def test_no_event_about_a_person_is_sent_once_they_are_deleted(
    journal: LmdbJournal, people: MemoryGallery
) -> None:
    """Also not one of a batch whose first events were named before."""
    stream = await journal.open_stream("door", "default")
    await stream.record([track_event(number, known(PEOPLE[number % 2])) for number in range(1, 41)])
    _, events = await journal.watch(1, kept_only=True)
    received: list[TrackEvent] = []
    async with asyncio.timeout(20), aclosing(events):
        async for one in events:
            received.append(one.event)
            if len(received) == 10:
                await people.delete_identity("default", PEOPLE[0])
    about = [event.decision.identity.identity_id for event in received if event.decision.identity]
    assert PEOPLE[0] in about[:10]
    assert PEOPLE[0] not in about[10:]
    assert len(about) == 10 + 15


async def test_who_is_deleted_while_an_event_is_recorded_is_forgotten_in_the_next_round(
    people: MemoryGallery, tmp_path: Path
) -> None:
    class Racing(MemoryGallery):
        """Deletes the person between the question for a reference and the write."""

        async def references(self, gallery_id, identity_ids):
            found = await super().references(gallery_id, identity_ids)
            await self.delete_identity(gallery_id, PEOPLE[0])
            await early_round()
            return found

    async def early_round() -> None:
        await opened[0].maintain()

    opened: list[LmdbJournal] = []
    racing = Racing(model_contract_id="c" * 64, dimension=128)
    await racing.create_identity("default", PEOPLE[0], "")
    with opened_journal(tmp_path / "journal", racing) as journal:
        opened.append(journal)
        stream = await journal.open_stream("door", "default")
        await stream.record([replace(track_event(1), decision=known(PEOPLE[0]))])
        assert (await journal.statistics()).events == 1
        await journal.maintain()
        assert (await journal.statistics()).events == 0
