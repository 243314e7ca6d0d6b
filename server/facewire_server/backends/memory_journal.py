"""The journal in the memory of one process: in place of one whose storage cannot be used, and in tests."""

import asyncio
import secrets
import time
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, NoReturn

from facewire_server.errors import CropsNotKept, InvalidField, StreamTakenOver, TrackNotFound
from facewire_server.galleries.ports import People
from facewire_server.streams.journal import (
    EVERY_EVENT,
    RESUME_WITHIN_S,
    TOKEN_BYTES,
    Crop,
    EventFilter,
    Feed,
    JournaledStream,
    JournalStatistics,
    OpenTrack,
    WatchedEvent,
)
from facewire_server.streams.kept_events import (
    KeptEvent,
    are_of_galleries,
    ended_event,
    is_about_deleted,
    kept_event,
    matches,
    people_of,
    unnamed_event,
)
from facewire_server.streams.known_references import KnownReferences
from facewire_server.types import TrackEvent, TrackState
from facewire_server.work.condition import Condition
from facewire_server.work.steady_clock import SteadyClock

__all__ = ["MemoryJournal"]

_EVENTS_KEPT: Final = 10_000
"""Events kept in memory, about 1 KB each. Chosen, not measured."""

_CROPS_KEPT: Final = 100
"""Pictures kept in memory, some tens of KB each. Chosen, not measured."""


def _now_us() -> int:
    return time.time_ns() // 1000


@dataclass(eq=False)
class _Record:
    """What is kept of a stream; `owner` is None once it broke off."""

    token: bytes
    camera_id: str
    gallery_id: str
    accounted: int = 0
    owner: "_MemoryStream | None" = None
    broke_off_at_us: int = 0
    tracks: dict[int, KeptEvent] = field(default_factory=dict)
    numbers: dict[int, tuple[float, ...]] = field(default_factory=dict)


class MemoryJournal:
    """The port `Journal` without a storage: what it keeps ends with the process.

    Attributes:
        resume_within_s, keeps_crops: see the port.
    """

    def __init__(
        self,
        people: People,
        *,
        keeps_crops: bool = False,
        keep_count: int = _EVENTS_KEPT,
        keep_s: float = 86_400.0,
        resume_within_s: float = RESUME_WITHIN_S,
        now_us: Callable[[], int] = _now_us,
    ) -> None:
        """Starts an empty one.

        Args:
            people: resolves references.
            keeps_crops: pictures may be kept.
            keep_count, keep_s: most events, and seconds, that events are kept.
            resume_within_s: seconds after a stream broke off within which it may be resumed.
            now_us: returns microseconds since 1970-01-01 UTC.
        """
        self.resume_within_s = resume_within_s
        self.keeps_crops = keeps_crops
        self._people = people
        self._keep_count = min(keep_count, _EVENTS_KEPT)
        self._keep_us = round(keep_s * 1e6)
        self._now_us = now_us
        self._events: dict[int, KeptEvent] = {}
        self._last_event = self._last_track = self._last_removed = 0
        self._records: dict[bytes, _Record] = {}
        self._crops: dict[int, Crop] = {}
        self._clock = SteadyClock()
        self._watchers = 0
        self._changed = Condition()

    def new_track_id(self) -> int:
        """See the port."""
        self._last_track = max(self._last_track + 1, self._now_us())
        return self._last_track

    async def open_stream(
        self, camera_id: str, gallery_id: str, token: bytes = b"", client: str = ""
    ) -> JournaledStream:
        """See the port."""
        await self._end_overdue()
        record = self._records.get(token)
        if record is None:
            record = _Record(secrets.token_bytes(TOKEN_BYTES), camera_id, gallery_id)
            self._records[record.token] = record
        elif (record.camera_id, record.gallery_id) != (camera_id, gallery_id):
            raise InvalidField(
                "config.resume_token is of another camera or gallery", field="config.resume_token"
            )
        names = await self._people.names(people_of(record.tracks.values()))
        known = KnownReferences(self._people)
        known.resume(record.tracks.values(), names)
        tracks = [
            OpenTrack(kept.open_event(names), record.numbers.get(track_id, ()))
            for track_id, kept in record.tracks.items()
        ]
        return _MemoryStream(self, record, tracks, known)

    async def watch(
        self, after_event: int, wanted: EventFilter = EVERY_EVENT, *, kept_only: bool = False
    ) -> Feed:
        """See the port."""
        follows = after_event or self._last_event or 1
        is_lost = 1 < after_event < self._last_removed or after_event > max(self._last_event, 1)
        position = 0 if after_event > self._last_event else follows
        last = self._last_event if kept_only else None
        return Feed(follows, self._watched(position, last, wanted, is_lost))

    async def _watched(
        self, position: int, last: int | None, wanted: EventFilter, is_lost: bool
    ) -> AsyncGenerator[WatchedEvent, None]:
        self._watchers += 1
        try:
            while last is None or position < last:
                await self._changed.until(partial(self._has_more, position))
                for event_id in self._ids_after(position):
                    event = await self._named(event_id)
                    if last is not None and event_id > last:
                        break
                    if event is not None and self._is_wanted(event_id, event, wanted):
                        yield WatchedEvent(event, is_lost)
                        is_lost = False
                    position = event_id
                position = max(position, self._last_event)
        finally:
            self._watchers -= 1

    def _has_more(self, position: int) -> bool:
        return self._last_event > position

    def _ids_after(self, position: int) -> list[int]:
        ids = list(self._events)
        return ids[bisect_right(ids, position) :]

    async def _named(self, event_id: int) -> TrackEvent | None:
        kept = self._events.get(event_id)
        if kept is None:
            return None
        event = kept.named(await self._people.names(kept.people))
        return event and replace(event, has_crop=event.track_id in self._crops)

    def _is_wanted(self, event_id: int, event: TrackEvent, wanted: EventFilter) -> bool:
        kept = self._events.get(event_id)
        return kept is not None and kept.is_wanted(wanted) and matches(event, wanted)

    async def keep_crop(self, track_id: int, crop: Crop) -> None:
        """See the port."""
        if self.keeps_crops:
            self._crops.pop(track_id, None)
            self._crops[track_id] = crop
            if len(self._crops) > _CROPS_KEPT:
                del self._crops[next(iter(self._crops))]

    async def crop(self, track_id: int, gallery_ids: frozenset[str] = frozenset()) -> Crop:
        """See the port."""
        if not self.keeps_crops:
            raise CropsNotKept("the operator does not allow pictures of tracks to be kept")
        kept = [one for one in self._events.values() if one.event.track_id == track_id]
        about = people_of(kept)
        is_allowed = are_of_galleries([one.event for one in kept], gallery_ids)
        is_kept = is_allowed and track_id in self._crops
        if not is_kept or not (await self._people.names(about)).keys() >= about:
            raise TrackNotFound("no such track, or no picture of it is kept")
        return self._crops[track_id]

    async def statistics(self) -> JournalStatistics:
        """See the port."""
        return JournalStatistics(
            is_kept=False,
            events=len(self._events),
            streams=len(self._records),
            watchers=self._watchers,
            crops=len(self._crops),
            crop_bytes=sum(len(crop.jpeg) for crop in self._crops.values()),
        )

    def close(self) -> None:
        """Has nothing to release."""

    async def maintain(self) -> None:
        """See the port."""
        await self._end_overdue()
        now_us = self._now_us()
        if self._clock.is_steady(now_us):
            times = ((key, kept.event.server_time_us) for key, kept in self._events.items())
            self._forget([key for key, at_us in times if abs(now_us - at_us) > self._keep_us])
        names = await self._people.names(people_of(self._events.values()))
        for event_id, kept in list(self._events.items()):
            remaining = kept.without_deleted(names)
            if remaining is None:
                del self._events[event_id]
                self._crops.pop(kept.event.track_id, None)
            else:
                self._events[event_id] = remaining
        await self._forget_people_of_tracks()

    async def _forget_people_of_tracks(self) -> None:
        tracks = [record.tracks for record in self._records.values()]
        names = await self._people.names(
            people_of(kept for each in tracks for kept in each.values())
        )
        for each in tracks:
            for track_id, kept in list(each.items()):
                each[track_id] = kept.without_deleted(names) or unnamed_event(kept.event)

    def _forget(self, event_ids: Sequence[int]) -> None:
        for event_id in event_ids:
            self._crops.pop(self._events.pop(event_id).event.track_id, None)
            self._last_removed = event_id

    async def numbered(
        self, record: _Record, events: Sequence[TrackEvent], known: KnownReferences
    ) -> tuple[TrackEvent, ...]:
        """Keeps events of a stream; see `JournaledStream.record`."""
        numbered: list[TrackEvent] = []
        for event, references in zip(events, await known.of(events), strict=True):
            self._last_event = max(self._last_event + 1, self._now_us())
            if is_about_deleted(event, kept_event(event, references)):
                self._crops.pop(event.track_id, None)
            has_crop = event.track_id in self._crops
            numbered.append(replace(event, event_id=self._last_event, has_crop=has_crop))
            kept = kept_event(numbered[-1], references)
            if kept is not None:
                self._events[self._last_event] = kept
            record.tracks[event.track_id] = kept or unnamed_event(numbered[-1])
            if event.state is TrackState.ENDED:
                record.tracks.pop(event.track_id, None)
        self._forget(list(self._events)[: max(0, len(self._events) - self._keep_count)])
        self._changed.notify()
        return tuple(numbered)

    async def ended(self, record: _Record) -> tuple[TrackEvent, ...]:
        """Ends a stream and its open tracks; see `JournaledStream.end`."""
        self._records.pop(record.token, None)
        names = await self._people.names(people_of(record.tracks.values()))
        events = [
            ended_event(kept.open_event(names), self._now_us()) for kept in record.tracks.values()
        ]
        return await self.numbered(record, events, KnownReferences(self._people))

    def broke_off(self, record: _Record) -> None:
        """Keeps that a stream is over; see `JournaledStream.break_off`."""
        record.broke_off_at_us = self._now_us()

    async def _end_overdue(self) -> None:
        now_us, within_us = self._now_us(), round(self.resume_within_s * 1e6)
        for record in list(self._records.values()):
            # In the future: the clock was set back.
            if record.owner is None and abs(record.broke_off_at_us - now_us) > within_us:
                await self.ended(record)


class _MemoryStream:
    """The port `JournaledStream`.

    Attributes:
        token, after_sequence, tracks: see the port.
        displaced: set when another stream was opened with the token.
    """

    def __init__(
        self,
        journal: MemoryJournal,
        record: _Record,
        tracks: list[OpenTrack],
        known: KnownReferences,
    ) -> None:
        self.displaced = asyncio.Event()
        if record.owner is not None:
            record.owner.displaced.set()
        record.owner = self
        self.token = record.token
        self.after_sequence = record.accounted
        self.tracks: Sequence[OpenTrack] = tracks
        self._journal = journal
        self._record = record
        self._known = known

    def account(self, sequence: int) -> None:
        """See the port."""
        self._require_owner()
        self._record.accounted = max(self._record.accounted, sequence)

    async def record(self, events: Sequence[TrackEvent]) -> tuple[TrackEvent, ...]:
        """See the port."""
        self._require_owner()
        return await self._journal.numbered(self._record, events, self._known)

    async def save(self, numbers: Mapping[int, Sequence[float]]) -> None:
        """See the port."""
        self._require_owner()
        self._record.numbers = {track_id: tuple(each) for track_id, each in numbers.items()}

    async def taken_over(self) -> NoReturn:
        """See the port."""
        await self.displaced.wait()
        raise _taken_over()

    async def end(self) -> tuple[TrackEvent, ...]:
        """See the port."""
        self._require_owner()
        return await self._journal.ended(self._record)

    def break_off(self) -> None:
        """See the port."""
        if self._record.owner is self:
            self._record.owner = None
            self._journal.broke_off(self._record)

    def _require_owner(self) -> None:
        if self._record.owner is not self:
            raise _taken_over()


def _taken_over() -> StreamTakenOver:
    return StreamTakenOver("another stream was opened with this one's resume token")
