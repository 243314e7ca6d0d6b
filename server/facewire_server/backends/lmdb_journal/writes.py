"""The changes of the journal's storage, each for one write transaction."""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from facewire_server.backends.lmdb_journal.accounts import Accounts
from facewire_server.backends.lmdb_journal.entries import Entries
from facewire_server.backends.lmdb_journal.numbers import next_number
from facewire_server.backends.lmdb_journal.stream_table import Claim, StreamTable, key_of
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.galleries.records import PersonReference
from facewire_server.streams.kept_events import KeptEvent, ended_event

__all__ = ["STEP", "Retention", "Writes"]

STEP: Final = 256
"""Events removed in one transaction at most, beside one for each that is added: about 10 ms. Chosen, not measured."""

_SLACK: Final = 8
"""Events removed beyond the number added, while there are too many: a lower limit is reached over time. Chosen, not measured."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept.

    Attributes:
        count: most events.
        used_bytes: of all tables, beyond which there are too many, whatever their number is.
        age_us: microseconds that an event is kept.
        resume_us: microseconds after a stream broke off within which it may be resumed.
    """

    count: int
    used_bytes: int
    age_us: int
    resume_us: int

    def is_old(self, at_us: int, now_us: int) -> bool:
        """Whether something of a time is older than events are kept, or as far in the future: a clock was wrong."""
        return abs(now_us - at_us) > self.age_us


class Writes:
    """One write transaction of the journal.

    Attributes:
        entries: its events.
        streams: its streams.
    """

    def __init__(
        self, transaction: Transaction, accounts: Accounts, retention: Retention, now_us: int
    ) -> None:
        self.entries = Entries(transaction)
        self.streams = StreamTable(transaction, accounts)
        self._transaction = transaction
        self._accounts = accounts
        self._retention = retention
        self._now_us = now_us

    def take_track_ids(self, count: int) -> range:
        """Returns ids that no track had before."""
        first = next_number(self._transaction, b"last_track", self._now_us, count=count)
        return range(first, first + count)

    def opened(self, camera_id: str, gallery_id: str, token: bytes, client: str) -> Claim:
        """Opens or resumes a stream; see `StreamTable.opened`. If there is no place for it, one that broke off is given up."""
        self.end_overdue({key_of(token)})
        if (key := self.streams.giving_way(token, client, self._now_us)) is not None:
            self._give_up(key)
        return self.streams.opened(camera_id, gallery_id, token, client, self._now_us)

    def record(
        self,
        key: bytes,
        events: Sequence[KeptEvent],
        open_events: Sequence[KeptEvent | None],
        of_deleted: Collection[int] = (),
    ) -> list[KeptEvent]:
        """Numbers events of a stream and keeps them.

        Args:
            key: of the stream.
            events: in order.
            open_events: for each event what the stream keeps of its track instead, if the event itself is not kept; else None.
            of_deleted: tracks whose pictures may show a person who was deleted meanwhile.

        Returns:
            The events with their ids.
        """
        for track_id in of_deleted:
            self.entries.crops.remove(track_id)
        numbered: list[KeptEvent] = []
        for kept, instead in zip(events, open_events, strict=True):
            event_id = self.entries.take_id(self._now_us)
            has_crop = self.entries.crops.has(kept.event.track_id)
            event = replace(kept.event, event_id=event_id, has_crop=has_crop)
            numbered.append(replace(kept, event=event))
            if instead is None:
                self.entries.add(numbered[-1])
            kept_with_stream = instead or kept
            last = replace(
                kept_with_stream, event=replace(kept_with_stream.event, event_id=event_id)
            )
            self.streams.keep(key, [last])
            # Before the commit: a process that is killed right after it wakes the watchers of others nevertheless.
            self._accounts.last_event = event_id
        most, keep = len(numbered) + _SLACK, self._retention.count
        if self._transaction.used_bytes() > self._retention.used_bytes:
            keep = min(keep, self.entries.count - most)
        if self.entries.count > keep:
            self.entries.remove_oldest(most, keep=keep)
        return numbered

    def end(self, key: bytes) -> list[KeptEvent]:
        """Ends a stream and its open tracks; returns the events that end them."""
        last = self.streams.forget(key)
        ended = [
            replace(kept, event=ended_event(kept.event, self._now_us), previous=None)
            for kept in last
        ]
        return self.record(key, ended, [None] * len(ended))

    def end_overdue(self, keys: Set[bytes]) -> None:
        """Ends those of the streams that are overdue: they were not resumed in time."""
        for key in self.streams.overdue(self._now_us, self._retention.resume_us) & keys:
            self._give_up(key)

    def _give_up(self, key: bytes) -> None:
        # Its process may be asleep, and learns so that it has no stream.
        self.streams.give_up(key)
        self.end(key)

    def remove_many(self) -> bool:
        """Removes some of the events that are too many; returns whether there may be more."""
        return self.entries.remove_oldest(STEP, keep=self._retention.count) == STEP

    def remove_old(self) -> bool:
        """Removes some of the events that are too old or too many; returns whether there may be more."""
        keep = self._retention.count
        return self.entries.remove_oldest(STEP, keep=keep, is_old=self._is_old) == STEP

    def remove_eventless_crops(self) -> None:
        """Removes the pictures of old tracks that have no event any more."""
        for track_id in self.entries.crops.track_ids():  # the time when it began, as a rule
            if self._is_old(track_id) and not self.entries.has_events(track_id):
                self.entries.crops.remove(track_id)

    def _is_old(self, at_us: int) -> bool:
        return self._retention.is_old(at_us, self._now_us)

    def forget(self, deleted: Collection[PersonReference]) -> bool:
        """Removes some of what is about people who were deleted; returns whether there may be more."""
        self.streams.forget_people(frozenset(deleted))
        left = STEP
        for person in deleted:
            left -= self.entries.forget(person, left)
        return not left
