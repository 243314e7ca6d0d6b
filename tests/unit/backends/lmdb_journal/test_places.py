"""The places for streams that can be resumed are shared: who breaks off many streams takes none from others."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from facewire_server.backends.lmdb_journal import stream_table
from facewire_server.backends.lmdb_journal.journal import LmdbJournal
from facewire_server.events import Event
from facewire_server.types import TrackState
from fakes.gallery import MemoryGallery
from fakes.journals import open_in
from fakes.tracks import Clock, track_event

PLACES = 6


class Places:
    """A journal with few places, its clock, and what it reported."""

    def __init__(self, folder: Path) -> None:
        people = MemoryGallery(model_contract_id="c" * 64, dimension=128)
        self.clock, self.failures = Clock(), list[Event]()
        opened, _ = open_in(folder, people, self.failures.append, clock=self.clock)
        self.journal: LmdbJournal = opened

    async def broken_off(self, client: str) -> bytes:
        """The token of a stream that was opened and broke off."""
        stream = await self.journal.open_stream("door", "default", b"", client)
        await stream.record([track_event(self.journal.new_track_id())])
        stream.break_off()
        self.clock.advance(0.001)
        return stream.token

    async def is_kept(self, token: bytes, client: str) -> bool:
        """Whether the stream of a token can be resumed; it is then open."""
        return (await self.journal.open_stream("door", "default", token, client)).token == token


@pytest.fixture
async def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Places]:
    monkeypatch.setattr(stream_table, "SLOTS", PLACES)
    places = Places(tmp_path)
    yield places
    places.journal.close()


async def test_who_has_broken_off_most_streams_loses_the_first_of_them(places: Places) -> None:
    other = await places.broken_off("a camera")
    many = [await places.broken_off("a flood") for _ in range(PLACES - 1)]
    places.clock.advance(6)
    new = await places.journal.open_stream("yard", "default", b"", "a third one")
    assert new.token
    assert (await places.journal.statistics()).streams == PLACES
    _, events = await places.journal.watch(1, kept_only=True)
    ended = [one.event async for one in events if one.event.state is TrackState.ENDED]
    assert len(ended) == 1, "the tracks of the stream that was given up have ended"
    assert await places.is_kept(other, "a camera")
    assert await places.is_kept(many[1], "a flood")
    places.clock.advance(6)
    await places.journal.maintain()
    assert not await places.is_kept(many[0], "a flood")
    assert places.failures == []


async def test_a_client_that_breaks_off_as_many_as_another_one_loses_its_own(
    places: Places,
) -> None:
    first = [await places.broken_off("first") for _ in range(PLACES // 2)]
    second = [await places.broken_off("second") for _ in range(PLACES // 2)]
    places.clock.advance(6)
    assert (await places.journal.open_stream("yard", "default", b"", "second")).token
    assert [await places.is_kept(token, "first") for token in first] == [True] * len(first)
    assert await places.is_kept(second[1], "second")


async def test_open_streams_keep_their_places(places: Places) -> None:
    streams = [
        await places.journal.open_stream("door", "default", b"", "many") for _ in range(PLACES)
    ]
    places.clock.advance(6)
    await places.journal.maintain()
    new = await places.journal.open_stream("yard", "default", b"", "another")
    assert new.token == b"", "it goes on, and cannot be resumed"
    assert len(places.failures) == 1
    for stream in streams:
        stream.account(1)
