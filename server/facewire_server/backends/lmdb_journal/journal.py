"""The port `Journal` on LMDB."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial
from typing import Final

from facewire_server.backends.lmdb_journal.entries import Entries
from facewire_server.backends.lmdb_journal.feed import Position, read_feed
from facewire_server.backends.lmdb_journal.recorder import Recorder
from facewire_server.backends.lmdb_journal.storage import JournalStorage
from facewire_server.backends.lmdb_journal.stream import LmdbStream
from facewire_server.backends.lmdb_journal.stream_table import StreamTable
from facewire_server.backends.lmdb_journal.track_ids import TrackIds
from facewire_server.backends.lmdb_journal.upkeep import Upkeep
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.errors import CropsNotKept, TrackNotFound
from facewire_server.events import Emit
from facewire_server.galleries.ports import People
from facewire_server.streams.journal import (
    EVERY_EVENT,
    Crop,
    EventFilter,
    Feed,
    JournalStatistics,
    OpenTrack,
    WatchedEvent,
)
from facewire_server.streams.kept_events import KeptEvent, are_of_galleries, people_of
from facewire_server.streams.known_references import KnownReferences

__all__ = ["LmdbJournal"]

_MOST_TRACK_ID: Final = 2**53
"""Beyond any id."""


class LmdbJournal:
    """The journal in a folder. Open it once in a process, after any fork.

    Attributes:
        resume_within_s, keeps_crops: see the port.
    """

    def __init__(
        self,
        storage: JournalStorage,
        people: People,
        *,
        keeps_crops: bool,
        resume_within_s: float,
        emit: Emit,
    ) -> None:
        """Takes over the storage, which `close` closes.

        Args:
            storage: opened.
            people: who references stand for.
            keeps_crops: pictures may be kept.
            resume_within_s: seconds after a stream broke off within which it may be resumed.
            emit: takes a `JournalFailed` for each call that the storage failed.
        """
        self.resume_within_s = resume_within_s
        self.keeps_crops = keeps_crops
        self._storage = storage
        self._recorder = Recorder(storage, people, emit)
        self._track_ids = TrackIds(storage)
        self._open: dict[int, LmdbStream] = {}
        self._upkeep = Upkeep(self._recorder)
        self._watchers = 0

    def close(self) -> None:
        """Waits for running calls and releases the folder; blocks. No call may follow."""
        self._storage.close()

    def new_track_id(self) -> int:
        """See the port."""
        return self._track_ids.next()

    async def open_stream(
        self, camera_id: str, gallery_id: str, token: bytes = b"", client: str = ""
    ) -> LmdbStream:
        """See the port."""
        self._refresh()
        with self._recorder.surviving():
            claim = await self._storage.write(
                lambda writes: writes.opened(camera_id, gallery_id, token, client)
            )
            self._recorder.notify()  # the tracks of another stream may have ended
            last = [kept for kept, _ in claim.tracks]
            names = await self._recorder.names(people_of(last))
            known = KnownReferences(self._recorder.people)
            known.resume(last, names)
            tracks = [OpenTrack(kept.open_event(names), numbers) for kept, numbers in claim.tracks]
            self._refresh()  # whose place it took is displaced
            stream = LmdbStream(self._recorder, claim, tracks, known=known, parted=self._parted)
            self._open[claim.slot] = stream
            return stream
        return LmdbStream(self._recorder, None)

    def _parted(self, stream: LmdbStream) -> None:
        if stream.claim is not None and self._open.get(stream.claim.slot) is stream:
            del self._open[stream.claim.slot]

    def _refresh(self) -> None:
        for stream in list(self._open.values()):
            if not stream.refresh():
                self._parted(stream)

    async def watch(
        self, after_event: int, wanted: EventFilter = EVERY_EVENT, *, kept_only: bool = False
    ) -> Feed:
        """See the port."""

        def bounds(transaction: Transaction) -> tuple[int, int]:
            entries = Entries(transaction)
            return entries.last_event, entries.last_removed

        last, last_removed = await self._storage.read(bounds)
        is_ahead = after_event > max(last, 1)  # of a journal that was lost
        follows = after_event or last or 1
        position = Position(
            event_id=0 if is_ahead else follows,
            last=last if kept_only else None,
            is_lost=is_ahead or 1 < after_event < last_removed,
        )
        return Feed(follows, self._counted(position, wanted))

    async def _counted(
        self, position: Position, wanted: EventFilter
    ) -> AsyncGenerator[WatchedEvent, None]:
        self._watchers += 1
        try:
            async for event in read_feed(self._recorder, position, wanted):
                yield event
        finally:
            self._watchers -= 1

    async def keep_crop(self, track_id: int, crop: Crop) -> None:
        """See the port."""
        if not self.keeps_crops:
            return
        with self._recorder.surviving():
            await self._storage.call(partial(self._storage.files.write, track_id, crop.jpeg))
            await self._storage.write(lambda writes: writes.entries.crops.put(track_id, crop))

    async def crop(self, track_id: int, gallery_ids: frozenset[str] = frozenset()) -> Crop:
        """See the port."""
        if not self.keeps_crops:
            raise CropsNotKept("the operator does not allow pictures of tracks to be kept")

        def found(transaction: Transaction) -> tuple[Crop | None, list[KeptEvent]]:
            entries = Entries(transaction)
            crop = entries.crops.without_picture(track_id)
            return crop, entries.of_track(track_id) if crop else []

        missing = TrackNotFound("no such track, or no picture of it is kept")
        if not 0 < track_id < _MOST_TRACK_ID:
            raise missing
        crop, events = await self._storage.read(found)
        if not are_of_galleries([kept.event for kept in events], gallery_ids):
            raise missing
        jpeg = await self._storage.call(partial(self._storage.files.read, track_id))
        # Asked last: from the moment of a deletion on the picture is not returned.
        people = people_of(events)
        names = await self._recorder.names(people)
        if crop is None or not jpeg or not names.keys() >= people:
            raise missing
        return replace(crop, jpeg=jpeg)

    async def statistics(self) -> JournalStatistics:
        """See the port."""

        def counted(transaction: Transaction) -> JournalStatistics:
            entries = Entries(transaction)
            return JournalStatistics(
                is_kept=True,
                events=entries.count,
                streams=StreamTable(transaction, self._storage.accounts).count,
                watchers=self._watchers,
                crops=entries.crops.count,
                crop_bytes=entries.crops.byte_count,
            )

        with self._recorder.surviving():
            found = await self._storage.read(counted)
            return replace(found, file_bytes=await self._storage.call(self._storage.file_bytes))
        return JournalStatistics(is_kept=False, watchers=self._watchers)

    async def maintain(self) -> None:
        """See the port."""
        self._refresh()
        with self._recorder.surviving():
            await self._upkeep.once()
        with self._recorder.surviving():
            await self._track_ids.top_up()
