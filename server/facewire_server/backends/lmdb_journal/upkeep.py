"""What the journal does every second: it ends streams that were not resumed, and removes what is old or about deleted people."""

from functools import partial
from typing import Final, NamedTuple

from facewire_server.backends.lmdb_journal.entries import Entries
from facewire_server.backends.lmdb_journal.recorder import Recorder
from facewire_server.backends.lmdb_journal.stream_table import StreamTable
from facewire_server.backends.lmdb_journal.writes import Writes
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.galleries.records import PersonReference
from facewire_server.work.steady_clock import SteadyClock

__all__ = ["Upkeep"]

_STEPS: Final = 16
"""Write transactions of one kind in a round: others come in between. Chosen, not measured."""

_ROUNDS_OVERDUE: Final = 3
"""Rounds in a row in which a stream is overdue, before it is ended. When the clock leaps, or the machine wakes, the streams of other
processes are, until each has had a round of its own. Chosen, not measured."""

_ROUNDS_BETWEEN_STRAYS: Final = 60
"""Rounds between two looks for files that a killed process left behind. Chosen, not measured: a minute."""


class _Due(NamedTuple):
    overdue_streams: frozenset[bytes]
    has_old_events: bool


class Upkeep:
    """The rounds of one process; several processes may do the same."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._storage = recorder.storage
        self._clock = SteadyClock()
        self._swept: int | None = None
        self._rounds = 0
        self._overdue: dict[bytes, int] = {}  # in how many rounds, by the key of the stream

    async def once(self) -> None:
        """Does one round."""
        is_steady = self._clock.is_steady(self._storage.now_us())
        due = await self._storage.read(partial(self._due, is_steady=is_steady))
        self._overdue = {key: self._overdue.get(key, 0) + 1 for key in due.overdue_streams}
        given_up = {key for key, rounds in self._overdue.items() if rounds >= _ROUNDS_OVERDUE}
        if given_up:
            await self._storage.write(lambda writes: writes.end_overdue(given_up))
            self._recorder.notify()
        if due.has_old_events:
            await self._remove_old(is_steady=is_steady)
        await self._forget_deleted_people()
        if self._rounds % _ROUNDS_BETWEEN_STRAYS == 0:
            await self._erase_strays()
        self._rounds += 1

    def _due(self, transaction: Transaction, *, is_steady: bool) -> _Due:
        retention, now_us = self._storage.retention, self._storage.now_us()
        streams = StreamTable(transaction, self._storage.accounts)
        return _Due(
            streams.overdue(now_us, retention.resume_us),
            Entries(transaction).has_overdue(
                retention.count, lambda at_us: is_steady and retention.is_old(at_us, now_us)
            ),
        )

    async def _remove_old(self, *, is_steady: bool) -> None:
        def change(writes: Writes) -> bool:
            return writes.remove_old() if is_steady else writes.remove_many()

        for _ in range(_STEPS):
            if not await self._storage.write(change):
                return

    async def _forget_deleted_people(self) -> None:
        changes = self._recorder.people.change_count()
        if changes == self._swept and not self._recorder.may_have_missed:
            return
        self._recorder.may_have_missed, self._swept = False, None  # a failure is tried again
        people = await self._storage.read(self._people)
        names = await self._recorder.names(people)
        deleted = people - names.keys()
        for _ in range(_STEPS):
            if not deleted or not await self._storage.write(lambda writes: writes.forget(deleted)):
                self._swept = changes
                return

    def _people(self, transaction: Transaction) -> frozenset[PersonReference]:
        of_streams = StreamTable(transaction, self._storage.accounts).people()
        return of_streams | frozenset(Entries(transaction).people())

    async def _erase_strays(self) -> None:
        await self._storage.write(lambda writes: writes.remove_eventless_crops())
        kept = await self._storage.read(lambda transaction: Entries(transaction).crops.track_ids())
        await self._storage.call(lambda: self._storage.files.erase_strays(kept))
        await self._storage.call(self._storage.remove_old_damaged)
