"""Turns names into references and back around the writes of streams; a storage that fails loses only what it should have kept."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from facewire_server.backends.lmdb_journal.storage import FAILURES, JournalStorage
from facewire_server.backends.lmdb_journal.stream_table import Claim, key_of
from facewire_server.backends.lmdb_journal.writes import Writes
from facewire_server.errors import InvalidField
from facewire_server.events import Emit, JournalFailed
from facewire_server.galleries.ports import People
from facewire_server.galleries.records import PersonReference
from facewire_server.streams.journal import NOT_ITS_STREAM
from facewire_server.streams.kept_events import (
    KeptEvent,
    Names,
    is_about_deleted,
    kept_event,
    people_of,
    unnamed_event,
)
from facewire_server.streams.known_references import KnownReferences
from facewire_server.types import TrackEvent
from facewire_server.work.condition import Condition

__all__ = ["Recorder"]


class Recorder:
    """Writes what streams record.

    Attributes:
        storage: where.
        people: who references stand for.
        recorded: notified when this process has recorded events.
        commits: how often it has.
        may_have_missed: set when a person may have been deleted while an event about them was written.
    """

    def __init__(self, storage: JournalStorage, people: People, emit: Emit) -> None:
        self.storage = storage
        self.people = people
        self.recorded = Condition()
        self.commits = 0
        self.may_have_missed = False
        self._emit = emit
        self._last_event = 0

    def notify(self) -> None:
        """Wakes the watchers of this process."""
        self.commits += 1
        self.recorded.notify()

    @contextlib.contextmanager
    def surviving(self) -> Iterator[None]:
        """Emits a failure of the storage in the block, and ends the block there."""
        try:
            yield
        except (*NOT_ITS_STREAM, InvalidField):
            raise
        except FAILURES as error:
            self._emit(JournalFailed(type(error), str(error)))

    async def record(
        self, claim: Claim | None, events: Sequence[TrackEvent], known: KnownReferences
    ) -> tuple[TrackEvent, ...]:
        """Records events of a stream; see the port.

        Args:
            claim: of the stream; None: nothing of it can be kept.
            events: of one gallery.
            known: of the stream.
        """
        if not events:
            return ()
        numbered: list[KeptEvent] | None = None
        if claim is not None:
            with self.surviving():
                numbered = await self._kept(claim, events, known)
        if numbered is None:
            return tuple(replace(event, event_id=self._unkept_id()) for event in events)
        self._last_event = max(self._last_event, numbered[-1].event.event_id)
        self.notify()
        return tuple(
            replace(event, event_id=kept.event.event_id, has_crop=kept.event.has_crop)
            for event, kept in zip(events, numbered, strict=True)
        )

    async def _kept(
        self, claim: Claim, events: Sequence[TrackEvent], known: KnownReferences
    ) -> list[KeptEvent]:
        before = self.people.change_count()
        references = await known.of(events)
        kept = [kept_event(event, one) for event, one in zip(events, references, strict=True)]
        instead = [
            None if one else unnamed_event(event) for one, event in zip(kept, events, strict=True)
        ]
        nameless = [one or unnamed_event(event) for one, event in zip(kept, events, strict=True)]
        deleted = {
            event.track_id
            for event, one in zip(events, kept, strict=True)
            if is_about_deleted(event, one)
        }

        def change(writes: Writes) -> list[KeptEvent]:
            self.storage.accounts.require(claim.slot, claim.generation)
            return writes.record(key_of(claim.token), nameless, instead, deleted)

        numbered = await self.storage.write(change)
        if self.people.change_count() != before:
            self.may_have_missed = True
        return numbered

    async def end(self, claim: Claim) -> tuple[TrackEvent, ...]:
        """Ends a stream and its open tracks; see the port."""

        def change(writes: Writes) -> list[KeptEvent]:
            self.storage.accounts.require(claim.slot, claim.generation)
            return writes.end(key_of(claim.token))

        ended: list[KeptEvent] = []
        with self.surviving():
            ended = await self.storage.write(change)
            self.notify()
            names = await self.names(people_of(ended))
            return tuple(kept.open_event(names) for kept in ended)
        return tuple(kept.open_event({}) for kept in ended)

    async def names(self, people: frozenset[PersonReference]) -> Names:
        """Returns the names of people; asks the gallery only if there are any."""
        return await self.people.names(people) if people else {}

    def _unkept_id(self) -> int:
        self._last_event = max(self._last_event + 1, self.storage.now_us())
        return self._last_event
