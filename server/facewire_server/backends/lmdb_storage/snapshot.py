"""A read transaction that stays open over several calls."""

from collections.abc import Iterator
from contextlib import contextmanager

from facewire_server.backends.lmdb_storage.read_write_lock import ReadWriteLock
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.vendor_errors import our_errors
from facewire_server.errors import StorageBusy

__all__ = ["Snapshot"]


class Snapshot:
    """The storage at one moment, read in steps; other calls may run between them.

    It is ended early when the map must be moved: waiting for it would stop every search of
    this process. Used by one thread at a time.
    """

    def __init__(
        self, map_lock: ReadWriteLock, transaction: Transaction, alive: "set[Snapshot]"
    ) -> None:
        self.transaction = transaction
        self._map_lock = map_lock
        self._alive = alive

    @contextmanager
    def step(self) -> Iterator[Transaction]:
        """Lends the transaction for one short step.

        Raises:
            StorageBusy: the snapshot was ended because the map had to be moved.
        """
        with our_errors(), self._map_lock.read():
            if self not in self._alive:
                raise StorageBusy(
                    "the storage grew or was rewritten during the reading; start again"
                )
            yield self.transaction

    def close(self) -> None:
        """Ends the transaction. Does not wait: the garbage collector may call it in any thread."""
        self._alive.discard(self)
        self.transaction.txn.abort()
