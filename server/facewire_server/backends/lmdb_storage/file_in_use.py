"""The file of a storage that this process uses: its map is moved when it must grow, and its next generation takes its place."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.generations import META, MOVED_TO, SWITCHING
from facewire_server.backends.lmdb_storage.open_file import OpenFile, open_current
from facewire_server.backends.lmdb_storage.read_write_lock import ReadWriteLock
from facewire_server.backends.lmdb_storage.snapshot import Snapshot
from facewire_server.backends.lmdb_storage.tables import Storage, Transaction

__all__ = ["FileInUse"]

_MOVE_WAIT_S: Final = 2.0
"""Seconds to wait for this process' transactions before the map is moved. They take milliseconds, unless the writer
waits for another process that does not end its transaction. Chosen, not measured."""

_GENERATION_BITS: Final = 48
"""Bits of `change_count` below the generation's number: more commits than a storage ever sees."""


class FileInUse:
    """The open file.

    A map can be moved, or the file exchanged, only while this process has no transaction open: transactions hold `map_lock` for
    reading, a move for writing. Its waits are short, as a transaction lives as long as one call. There are two exceptions: a
    `Snapshot` is ended instead, and if the writer waits for another process, the call that needs the move raises StorageBusy.

    Attributes:
        opened: the file.
        map_lock: see above.
    """

    def __init__(
        self, folder: Path, storage: Storage, map_bytes: int, adopted: Callable[[], None]
    ) -> None:
        """Opens the generation in use; raises as `open_current` does.

        Args:
            folder: of the storage.
            storage: which.
            map_bytes: size of the map to start with.
            adopted: called when another file has taken the place of this one, while no transaction is open.
        """
        self._folder = folder
        self._storage = storage
        self._first_map_bytes = map_bytes
        self._adopted = adopted
        self.map_lock = ReadWriteLock()
        self._adopting = threading.Lock()
        self._snapshots: set[Snapshot] = set()
        self.opened = open_current(folder, storage, map_bytes)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A read transaction, in a larger map or the next generation if need be."""
        txn = self._begin_read()
        try:
            with txn:
                yield Transaction(txn, self.opened.databases)
        finally:
            self.map_lock.release_read()

    def _begin_read(self) -> "lmdb.Transaction[memoryview]":
        """Begins it; the caller releases `map_lock`."""
        while True:
            self.map_lock.acquire_read()
            try:
                self.opened.file.require_whole()
                txn = self.opened.env.begin(buffers=True)
                if not self.is_moved(txn):
                    return txn
                moved = self.opened
                txn.abort()
                self.map_lock.release_read()
            except lmdb.MapResizedError:
                self.map_lock.release_read()
                self.move_map(0)
            except lmdb.ReadersFullError:
                self.map_lock.release_read()
                if not self.opened.env.reader_check():
                    raise
            except BaseException:
                self.map_lock.release_read()
                raise
            else:
                self.adopt(moved)

    def is_moved(self, txn: "lmdb.Transaction[memoryview]") -> bool:
        """Whether the file says that it has moved, to a transaction of it."""
        meta = self.opened.databases.get(META)  # none while the tables are opened
        return meta is not None and txn.get(MOVED_TO, db=meta) is not None

    def writing(self, txn: "lmdb.Transaction[memoryview]") -> Transaction:
        """Returns the tables of a write transaction, which notes what it changes while a switch copies the file."""
        databases = self.opened.databases
        meta = databases.get(META)
        is_noting = meta is not None and txn.get(SWITCHING, db=meta) is not None
        return Transaction(txn, databases, is_noting)

    def has_moved(self) -> bool:
        """Whether the file says that it has moved."""
        with self.map_lock.read(), self.opened.env.begin(buffers=True) as txn:
            return self.is_moved(txn)

    def adopt(self, moved: OpenFile) -> None:
        """Uses the generation that has taken the place of a file."""
        with self._adopting:
            if self.opened is not moved:  # another thread was faster
                return
            following = open_current(
                self._folder, self._storage, self._first_map_bytes, above=moved.number
            )
            try:
                following.adopt_tables()
                with self.map_lock.write(_MOVE_WAIT_S):
                    self._end_snapshots()
                    self.opened = following
                    self._adopted()
            except BaseException:
                following.close()
                raise
            moved.close()

    def map_bytes(self) -> int:
        """Returns the size of the map; the caller holds `map_lock`."""
        return int(self.opened.env.info()["map_size"])

    def move_map(self, map_bytes: int) -> None:
        """Sets the map's size; 0 = what the file says. Another thread may have made it larger."""
        with self.map_lock.write(_MOVE_WAIT_S):
            if map_bytes and self.map_bytes() >= map_bytes:
                return
            self._end_snapshots()
            self.opened.env.set_mapsize(map_bytes)

    def make_room(self, room_bytes: int) -> None:
        """Moves the map if less than this is free in it."""
        with self.map_lock.read():
            info = self.opened.env.info()
            used_bytes = (info["last_pgno"] + 1) * self.opened.file.page_bytes
            map_bytes = int(info["map_size"])
        if map_bytes - used_bytes < room_bytes:
            self.move_map(map_bytes + room_bytes)

    def snapshot(self) -> Snapshot:
        """Opens a read transaction that outlives the call."""
        txn = self._begin_read()
        try:
            snapshot = Snapshot(
                self.map_lock, Transaction(txn, self.opened.databases), self._snapshots
            )
            self._snapshots.add(snapshot)
        finally:
            self.map_lock.release_read()
        return snapshot

    def _end_snapshots(self) -> None:
        for snapshot in tuple(self._snapshots):  # one may be closing in another thread
            snapshot.transaction.txn.abort()
        self._snapshots.clear()

    @property
    def is_whole(self) -> bool:
        """Whether the file is as long as it was; microseconds."""
        if not self.map_lock.try_acquire_read():
            return True  # the map is moved, or another file adopted, which looks itself
        try:
            return self.opened.file.is_whole
        finally:
            self.map_lock.release_read()

    def change_count(self) -> int:
        """Returns a number that a write of any process raises; 0 while the map is moved. About 2 µs; does not wait."""
        if not self.map_lock.try_acquire_read():
            return 0
        try:
            # The transactions of a generation are counted from its beginning.
            count = int(self.opened.env.info()["last_txnid"])
            return (self.opened.number << _GENERATION_BITS) + count
        finally:
            self.map_lock.release_read()

    def close(self) -> None:
        """Ends what is open. No transaction of a call may be open."""
        with self.map_lock.write():
            self._end_snapshots()
            self.opened.close()
