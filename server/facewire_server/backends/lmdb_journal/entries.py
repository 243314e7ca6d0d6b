"""Events in one transaction: their numbers, the indexes over them, and how they are removed.

A picture is kept as long as the oldest event of its track, and no longer than a person whom one of them names: whatever
removes an event removes the picture of its track, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from facewire_server.backends.lmdb_journal.crop_table import CropTable
from facewire_server.backends.lmdb_journal.event_records import event_record, kept_of
from facewire_server.backends.lmdb_journal.numbers import meta_number, next_number, numbers_of
from facewire_server.backends.lmdb_journal.records_pb2 import Event
from facewire_server.backends.lmdb_storage.tables import Table, Transaction, number_key
from facewire_server.galleries.records import PersonReference
from facewire_server.streams.kept_events import KeptEvent

__all__ = ["Entries"]


class Entries:
    """The events in one transaction.

    Attributes:
        crops: the pictures.
    """

    def __init__(self, transaction: Transaction) -> None:
        self.crops = CropTable(transaction)
        self._transaction = transaction
        self._events = transaction.table("events")
        self._track_events = transaction.table("track_events")
        self._people = transaction.table("people")

    @property
    def count(self) -> int:
        """Number of events."""
        return self._transaction.count("events")

    @property
    def last_event(self) -> int:
        """The highest id that was given; 0 before any."""
        return meta_number(self._transaction, b"last_event")

    @property
    def last_removed(self) -> int:
        """The highest id that was removed because it was too old, or one of too many."""
        return meta_number(self._transaction, b"last_removed")

    def take_id(self, now_us: int) -> int:
        """Returns an id that no event had before."""
        return next_number(self._transaction, b"last_event", now_us)

    def add(self, kept: KeptEvent) -> None:
        """Adds an event that has its id."""
        event_id, track_id = kept.event.event_id, kept.event.track_id
        self._events.put(number_key(event_id), event_record(kept).SerializeToString())
        self._track_events.put(number_key(track_id, event_id), b"")
        for person in kept.people:
            self._people.put(_person_key(person) + number_key(event_id), b"")

    def after(self, event_id: int, most: int) -> list[KeptEvent]:
        """Returns the events with the next ids above one, in order."""
        found: list[KeptEvent] = []
        for key, value in self._events.scan(after=number_key(event_id)):
            found.append(_kept(key, value))
            if len(found) == most:
                break
        return found

    def of_track(self, track_id: int) -> list[KeptEvent]:
        """Returns the events of a track."""
        keys = [key for key, _ in self._track_events.scan(number_key(track_id))]
        values = [(key[8:], self._events.get(key[8:])) for key in keys]
        return [_kept(key, value) for key, value in values if value is not None]

    def has_events(self, track_id: int) -> bool:
        """Whether an event of the track is kept."""
        return any(True for _ in self._track_events.scan(number_key(track_id)))

    def has_overdue(self, keep: int, is_old: Callable[[int], bool]) -> bool:
        """Whether `remove_oldest` would remove an event."""
        oldest = next((_time_of(value) for _, value in self._events.scan()), None)
        return self.count > keep or (oldest is not None and is_old(oldest))

    def remove_oldest(
        self, most: int, *, keep: int, is_old: Callable[[int], bool] | None = None
    ) -> int:
        """Removes at most `most` events, in order of their ids.

        Args:
            most: events.
            keep: those beyond this number are removed.
            is_old: whether an event of this time, microseconds since 1970, is removed nevertheless; None = none is. Of its time, not of
                its id: ids go on after one that a wrong clock made.

        Returns:
            The number of events that were removed.
        """
        excess, removed = self.count - keep, 0
        for key, at_us in [
            (key, _time_of(value) if is_old else 0) for key, value in _first(self._events, most)
        ]:
            (event_id,) = numbers_of(key)
            if removed >= excess and not (is_old and is_old(at_us)):
                break
            self.remove(event_id)
            removed += 1
            self._transaction.table("meta").put(b"last_removed", number_key(event_id))
        return removed

    def remove(self, event_id: int) -> None:
        """Removes an event, and the picture of its track."""
        value = self._events.get(number_key(event_id))
        if value is None:
            return
        kept = kept_of(event_id, Event.FromString(value))
        track_id = kept.event.track_id
        self._events.delete(number_key(event_id))
        self._track_events.delete(number_key(track_id, event_id))
        for person in kept.people:
            self._people.delete(_person_key(person) + number_key(event_id))
        self.crops.remove(track_id)

    def people(self) -> list[PersonReference]:
        """Returns everyone whom an event refers to."""
        found, after = [], b""
        while (key := next((key for key, _ in self._people.scan(after=after)), None)) is not None:
            found.append(_person_of(key))
            after = key[:-8] + b"\xff" * 8  # behind the last event of this person
        return found

    def forget(self, person: PersonReference, most: int) -> int:
        """Removes at most `most` events about a person, and the person from those that go on without; returns their number."""
        start = _person_key(person)
        keys = [key for key, _ in _first(self._people, most, start)]
        for key in keys:
            (event_id,) = numbers_of(key[-8:])
            value = self._events.get(number_key(event_id))
            kept = None if value is None else kept_of(event_id, Event.FromString(value))
            if kept is not None and person not in kept.about:
                without = event_record(replace(kept, previous=None)).SerializeToString()
                self._events.put(number_key(event_id), without)
                self.crops.remove(kept.event.track_id)
            elif kept is not None:
                self.remove(event_id)
            self._people.delete(key)
        return len(keys)


def _first(table: Table, most: int, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    for number, item in enumerate(table.scan(start)):
        if number == most:
            return
        yield item


def _time_of(value: bytes) -> int:
    return Event.FromString(value).server_time_us


def _kept(key: bytes, value: bytes) -> KeptEvent:
    (event_id,) = numbers_of(key)
    return kept_of(event_id, Event.FromString(value))


def _person_key(person: PersonReference) -> bytes:
    created = person.created_at_us.to_bytes(8, "big", signed=True)
    return person.gallery_id.encode() + b"\0" + number_key(person.number) + created


def _person_of(key: bytes) -> PersonReference:
    # The numbers may hold NULs, a gallery's id does not.
    gallery_id, numbers = key.split(b"\0", 1)
    created_at_us = int.from_bytes(numbers[8:16], "big", signed=True)
    return PersonReference(gallery_id.decode(), int.from_bytes(numbers[:8], "big"), created_at_us)
