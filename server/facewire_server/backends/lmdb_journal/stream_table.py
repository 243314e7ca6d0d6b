"""The streams that are open or can be resumed, and their open tracks, in one transaction."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from facewire_server.backends.lmdb_journal.accounts import SLOTS, Accounts
from facewire_server.backends.lmdb_journal.event_records import event_record, kept_of
from facewire_server.backends.lmdb_journal.numbers import numbers_of
from facewire_server.backends.lmdb_journal.records_pb2 import OpenTrack as TrackRecord
from facewire_server.backends.lmdb_journal.records_pb2 import Stream
from facewire_server.backends.lmdb_storage.tables import Table, Transaction, number_key
from facewire_server.errors import InvalidField, StorageBusy
from facewire_server.galleries.records import PersonReference
from facewire_server.streams.journal import TOKEN_BYTES
from facewire_server.streams.kept_events import KeptEvent, unnamed_event
from facewire_server.types import TrackState

__all__ = ["Claim", "StreamTable", "key_of"]


_SURELY_OVER_US: Final = 5_000_000
"""Microseconds since a stream was last known to be open, from which on it has broken off: each process says so every second. Chosen, not
measured."""

_MARK_BYTES: Final = 8
"""Bytes that distinguish clients. Chosen, not measured."""


def key_of(token: bytes) -> bytes:
    """Returns the key of a stream: whoever reads the file learns no token."""
    return hashlib.sha256(token).digest()


def _client_mark(client: str) -> bytes:
    """Returns what is kept of a client: enough to see that two streams are of the same one."""
    return hashlib.sha256(client.encode()).digest()[:_MARK_BYTES]


@dataclass(frozen=True, slots=True)
class Claim:
    """A stream that was opened or resumed.

    Attributes:
        token: of the stream.
        slot, generation: of its account.
        after_sequence: frames up to this one were accounted for.
        tracks: its open tracks, each with its numbers.
    """

    token: bytes
    slot: int
    generation: int
    after_sequence: int = 0
    tracks: Sequence[tuple[KeptEvent, tuple[float, ...]]] = ()


class StreamTable:
    """The streams."""

    def __init__(self, transaction: Transaction, accounts: Accounts) -> None:
        self._transaction = transaction
        self._streams = transaction.table("streams")
        self._accounts = accounts

    @property
    def count(self) -> int:
        """Number of streams."""
        return self._transaction.count("streams")

    def opened(
        self, camera_id: str, gallery_id: str, token: bytes, client: str, now_us: int
    ) -> Claim:
        """Opens a stream of a client, or takes the one of the token.

        Raises:
            InvalidField: the token is another camera's, or of a stream with another gallery.
            StorageBusy: there are too many streams.
        """
        value = self._streams.get(key_of(token)) if token else None
        if value is None:
            return self._new(camera_id, gallery_id, client, now_us)
        stream = Stream.FromString(value)
        if (stream.camera_id, stream.gallery_id) != (camera_id, gallery_id):
            raise InvalidField(
                "config.resume_token is of another camera or gallery", field="config.resume_token"
            )
        generation = self._accounts.take(stream.slot)
        self._accounts.set_alive(stream.slot, now_us)
        tracks = [
            (kept, tuple(record.numbers))
            for kept, record in map(_open_track, self._tracks(key_of(token)))
        ]
        accounted = self._accounts.accounted(stream.slot)
        return Claim(token, stream.slot, generation, accounted, tracks)

    def giving_way(self, token: bytes, client: str, now_us: int) -> bytes | None:
        """Returns the key of the stream that has to be given up before one can be opened; None if there is a place, or no such stream.

        Of the client that has most streams which broke off, it is the one that broke off first: so who opens many, and breaks them off,
        loses their own. Of clients with as many, the new stream's own client comes first.
        """
        if self.count < SLOTS or (token and self._streams.get(key_of(token)) is not None):
            return None
        broken_off: dict[bytes, list[tuple[int, bytes]]] = {}
        for key, value in self._streams.scan():
            stream = Stream.FromString(value)
            alive_at_us = self._accounts.alive_at_us(stream.slot)
            if now_us - alive_at_us > _SURELY_OVER_US:
                broken_off.setdefault(stream.client, []).append((alive_at_us, bytes(key)))
        own = _client_mark(client)
        most = max(broken_off, key=lambda one: (len(broken_off[one]), one == own), default=None)
        return None if most is None else min(broken_off[most])[1]

    def _new(self, camera_id: str, gallery_id: str, client: str, now_us: int) -> Claim:
        taken = {Stream.FromString(value).slot for _, value in self._streams.scan()}
        slot = next((slot for slot in range(SLOTS) if slot not in taken), None)
        if slot is None:
            raise StorageBusy(f"{SLOTS} streams are open or can be resumed, the most that may be")
        token = secrets.token_bytes(TOKEN_BYTES)
        generation = self._accounts.take(slot, accounted=0)
        self._accounts.set_alive(slot, now_us)
        record = Stream(
            camera_id=camera_id, gallery_id=gallery_id, slot=slot, client=_client_mark(client)
        )
        self._streams.put(key_of(token), record.SerializeToString())
        return Claim(token, slot, generation)

    def keep(self, key: bytes, events: Iterable[KeptEvent]) -> None:
        """Keeps the last event of each track with the stream; an ENDED one ends its track."""
        table = self._transaction.table("open_tracks", key)
        for kept in events:
            track_key = number_key(kept.event.track_id)
            if kept.event.state is TrackState.ENDED:
                table.delete(track_key)
                continue
            record = TrackRecord.FromString(table.get(track_key) or b"")
            record.event_id = kept.event.event_id
            record.event.CopyFrom(event_record(kept))
            table.put(track_key, record.SerializeToString())

    def save(self, key: bytes, numbers: Mapping[int, Sequence[float]]) -> None:
        """Replaces the numbers of the stream's open tracks."""
        table = self._transaction.table("open_tracks", key)
        for track_key, value in self._tracks(key):
            (track_id,) = numbers_of(track_key)
            record = TrackRecord.FromString(value)
            record.numbers[:] = numbers.get(track_id, ())
            table.put(track_key, record.SerializeToString())

    def forget(self, key: bytes) -> list[KeptEvent]:
        """Removes a stream; returns the last event of each of its open tracks."""
        last = [_open_track(item)[0] for item in self._tracks(key)]
        self._transaction.table("open_tracks", key).clear()
        self._streams.delete(key)
        return last

    def overdue(self, now_us: int, within_us: int) -> frozenset[bytes]:
        """Returns the keys of the streams that were not open in the last `within_us`, or in the future: the clock was set back."""
        streams = ((key, Stream.FromString(value)) for key, value in self._streams.scan())
        return frozenset(
            bytes(key)
            for key, stream in streams
            if abs(self._accounts.alive_at_us(stream.slot) - now_us) > within_us
        )

    def give_up(self, key: bytes) -> None:
        """Takes the account of a stream from whoever has it."""
        value = self._streams.get(key)
        if value is not None:
            self._accounts.give_up(Stream.FromString(value).slot)

    def people(self) -> frozenset[PersonReference]:
        """Returns everyone whom an open track refers to."""
        every = self._transaction.table("open_tracks")
        return frozenset().union(*(_open_track(item)[0].people for item in every.scan()))

    def forget_people(self, deleted: frozenset[PersonReference]) -> None:
        """Removes people from the open tracks: a decision for one of them becomes PENDING."""
        table: Table = self._transaction.table("open_tracks")
        for key, value in list(table.scan()):
            kept, record = _open_track((key, value))
            if kept.about & deleted:
                record.event.CopyFrom(event_record(unnamed_event(kept.event)))
            elif kept.people & deleted:
                record.event.CopyFrom(event_record(replace(kept, previous=None)))
            else:
                continue
            table.put(key, record.SerializeToString())

    def _tracks(self, key: bytes) -> list[tuple[bytes, bytes]]:
        return list(self._transaction.table("open_tracks", key).scan())


def _open_track(item: tuple[bytes, bytes]) -> tuple[KeptEvent, TrackRecord]:
    record = TrackRecord.FromString(item[1])
    return kept_of(record.event_id, record.event), record
