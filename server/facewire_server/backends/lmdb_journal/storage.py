"""The journal's storage in one process: its transactions in threads, and the pictures that belong to them."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from facewire_server.backends.erasable_files import ErasableFiles
from facewire_server.backends.lmdb_journal.accounts import Accounts
from facewire_server.backends.lmdb_journal.journal_tables import JOURNAL_STORAGE
from facewire_server.backends.lmdb_journal.writes import STEP, Retention, Writes
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.transaction_threads import TransactionThreads
from facewire_server.errors import GalleryFull, ServerError
from facewire_server.events import Emit, JournalFailed

__all__ = ["DAMAGED", "FAILURES", "JournalStorage", "now_us", "retention_of"]

T = TypeVar("T")

FAILURES: Final = (ServerError, OSError, ValueError)
"""What a storage that fails raises; a ValueError for a word that another version wrote."""

DAMAGED: Final = "damaged.mdb"
"""Name of a storage that was put aside since it could not be used. Its time is that of its last write."""

_FIXED_BYTES: Final = 64 << 20
"""Bytes of the map beside those for events: for streams, and for pages that a reader keeps from reuse. Chosen, not measured."""

_EVENT_BYTES: Final = 1024
"""Bytes of the storage for an event. Measured (`bench.journal_cost`): 250, indexes included; long ids take twice as many."""

_FREE_SHARE: Final = 2
"""The map is this many times as large as what may be used of it: pages that a reader keeps from reuse find room, and a map
that is full holds free pages. Chosen, not measured."""

_TRIES: Final = 3
"""Attempts at a change while the map is full: LMDB uses pages again two transactions after they were freed."""

_READERS: Final = 2
"""Reads at once. Chosen, not measured: one watcher's, while another's waits for the disk."""

_WRITE_WAIT_S: Final = 1.0
"""Seconds that a write may wait until it begins: the result of a frame waits as long. Chosen, not measured."""


def retention_of(count: int, keep_s: float, resume_within_s: float) -> Retention:
    """Returns what is kept, in the units of the storage, and the bytes that it may use."""
    used_bytes = _FIXED_BYTES + count * _EVENT_BYTES
    return Retention(count, used_bytes, round(keep_s * 1e6), round(resume_within_s * 1e6))


def now_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


class JournalStorage:
    """The folder of a journal, open in this process.

    Attributes:
        accounts: of the open streams.
        retention: what is kept.
        files: the pictures.
        now_us: returns microseconds since 1970-01-01 UTC.
    """

    def __init__(
        self, folder: Path, retention: Retention, emit: Emit, clock: Callable[[], int] = now_us
    ) -> None:
        """Opens it; makes it, if there is none.

        Raises:
            OSError: the folder cannot be used; UnusableStorage if what is in it cannot.
        """
        map_bytes = _FREE_SHARE * retention.used_bytes
        self._environment = Environment(
            folder, JOURNAL_STORAGE, map_bytes=map_bytes, max_bytes=map_bytes
        )
        try:
            self.accounts = Accounts(folder / "accounts")
        except BaseException:
            self._environment.close()
            raise
        self.files = ErasableFiles(folder / "crops", ".jpg")
        self.now_us = clock
        self.retention = retention
        self._emit = emit
        self._damaged = folder / DAMAGED
        self._threads = TransactionThreads(self._environment, _READERS, write_wait_s=_WRITE_WAIT_S)

    async def read(self, step: Callable[[Transaction], T]) -> T:
        """Runs the step in a read transaction."""
        return await self._threads.read(step)

    def write_now(self, change: Callable[[Writes], T]) -> T:
        """Commits a change in this thread, which waits; while the journal is opened only."""
        return self._environment.write(lambda transaction: change(self._writes(transaction)))

    async def write(self, change: Callable[[Writes], T]) -> T:
        """Commits a change; the files of the pictures that it removed are erased then.

        If there is no room, old events make some, and the change is tried again.
        """
        for _ in range(_TRIES - 1):
            try:
                return await self._write(change)
            except GalleryFull:
                await self._write(_make_room)
        return await self._write(change)

    async def _write(self, change: Callable[[Writes], T]) -> T:
        def in_transaction(transaction: Transaction) -> tuple[T, list[int]]:
            writes = self._writes(transaction)
            return change(writes), writes.entries.crops.lost

        result, lost = await self._threads.write(in_transaction)
        if lost:
            # Also for a caller that was cancelled: it would leave pictures of which there is no record.
            await asyncio.shield(self._erase(lost))
        return result

    async def _erase(self, lost: list[int]) -> None:
        try:
            await self._threads.call(partial(self.files.erase, lost))
        except OSError as error:  # the change itself is made
            self._emit(JournalFailed(type(error), str(error)))

    def _writes(self, transaction: Transaction) -> Writes:
        return Writes(transaction, self.accounts, self.retention, self.now_us())

    async def call(self, step: Callable[[], T]) -> T:
        """Runs a step that blocks in one of the threads."""
        return await self._threads.call(step)

    def file_bytes(self) -> int:
        """Returns the size of the storage's file; in a thread."""
        with self._environment.read():
            return self._environment.statistics(()).file_bytes

    def remove_old_damaged(self) -> None:
        """Removes the storage that was put aside, once it is older than any event is kept; blocks."""
        with contextlib.suppress(FileNotFoundError):
            if self.retention.is_old(self._damaged.stat().st_mtime_ns // 1000, self.now_us()):
                self._damaged.unlink()

    def close(self) -> None:
        """Waits for running calls and releases the folder; blocks."""
        self._threads.close()
        self.accounts.close()


def _make_room(writes: Writes) -> None:
    writes.entries.remove_oldest(STEP, keep=writes.entries.count - STEP)
