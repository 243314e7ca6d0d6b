"""The LMDB environment: transactions, a map that grows, dead readers, and LMDB's errors as ours."""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import lmdb

from facewire_server.backends.lmdb_storage.erasing import (
    has_leftovers,
    has_old_files,
    sweep,
    switching_alone,
)
from facewire_server.backends.lmdb_storage.folder import FolderLock
from facewire_server.backends.lmdb_storage.generations import META, MOVED_TO, SWITCHING
from facewire_server.backends.lmdb_storage.open_file import OpenFile, OutdatedStorage, open_current
from facewire_server.backends.lmdb_storage.read_write_lock import ReadWriteLock
from facewire_server.backends.lmdb_storage.reserve import DeletionReserve
from facewire_server.backends.lmdb_storage.snapshot import Snapshot
from facewire_server.backends.lmdb_storage.switching import Rewrite, stop_noting, switch_to_next
from facewire_server.backends.lmdb_storage.tables import Storage, Transaction
from facewire_server.backends.lmdb_storage.vendor_errors import our_errors
from facewire_server.errors import GalleryFull, StorageBusy
from facewire_server.galleries.records import GallerySize, StoreStatistics

__all__ = ["Environment"]

T = TypeVar("T")

_DELETION_RESERVE_BYTES = 64 << 20
"""Bytes by which a deletion may grow a full map at a time. Chosen, not measured."""

_FULL_DISK_BYTES = 64 << 20
"""Free bytes below which a failed write is attributed to a full disk. Chosen, not measured."""

_MOVE_WAIT_S = 2.0
"""Seconds to wait for this process' transactions before the map is moved. They take milliseconds, unless the writer
waits for another process that does not end its transaction. Chosen, not measured."""


_UPGRADE_WAIT_S = 5.0
"""Seconds to wait until no other process uses a storage that must be upgraded. Chosen, not measured: of several processes
that start together, each gives way to one."""

_UPGRADE_RETRY_S = 0.05
"""Seconds between two looks. Chosen, not measured."""


_GENERATION_BITS: Final = 48
"""Bits of `change_count` below the generation's number: more commits than a storage ever sees."""


class _Moved(Exception):
    """The file has been replaced by its next generation; ends a transaction before anything is done in it."""


class Environment:
    """One LMDB environment in a folder, opened once in each process that uses it.

    Its file is a generation (`generations`): `switch` makes the next one, and every process adopts it at its next
    transaction, or by `tidy`.

    The map is address space, not memory or disk. When it is full the process that writes
    doubles it, up to a quota; the others notice at their next transaction and adopt the
    new size. A map can be moved only while this process has no transaction open: transactions
    hold `map_lock` for reading, a move for writing. Its waits are short, as a transaction lives
    as long as one call. There are two exceptions: a `Snapshot` is ended instead, and if the writer waits
    for another process, the call that needs the move raises StorageBusy.

    A reader that was killed leaves its slot behind, which keeps LMDB from reusing pages. Pages
    are wanted by writers only, so slots are cleared before each write (opening is one), and
    when none is left.

    Attributes:
        name: of the storage, for the texts of errors.
        map_lock: held by transactions for reading.
        adopted: called when another file has taken the place of the one that was read, while no transaction is open.
    """

    def __init__(self, folder: Path, storage: Storage, *, map_bytes: int, max_bytes: int) -> None:
        """Opens the environment, and makes the folder (mode 0700) and files (0600) it needs.

        Args:
            folder: on a local file system.
            storage: which one.
            map_bytes: size of the map to start with.
            max_bytes: size that additions may make it grow to. If processes differ, the
                largest counts.

        Raises:
            StorageDamaged: the file was cut short or overwritten.
            UnusableStorage: what is in the folder was made by another version.
            OSError: the folder cannot be used, is used by another container, or is open in this process already.
        """
        self.name = storage.name
        self._folder = folder
        self._storage = storage
        self._first_map_bytes = min(map_bytes, max_bytes)
        self._max_bytes = max_bytes
        self._stub = 0
        self.adopted: Callable[[], None] = lambda: None
        self.map_lock = ReadWriteLock()
        self._adopting = threading.Lock()
        self._snapshots: set[Snapshot] = set()
        self._lock = FolderLock(folder)
        try:
            self._open = open_current(folder, storage, self._first_map_bytes)
            self._reserve = DeletionReserve(folder, storage.reserve_bytes)
        except BaseException:
            self._lock.release()
            raise
        try:
            try:
                self._open.databases = self.write(self._open.open_tables)
            except OutdatedStorage:
                self._upgrade()
            # What cannot be tidied now must not keep a server from starting.
            with suppress(GalleryFull, StorageBusy, OSError):
                self.tidy()
        except BaseException:
            self.close()
            raise

    def _upgrade(self) -> None:
        """Upgrades the storage as soon as no other process uses it, or finds that another one has."""
        ends_at_s = time.monotonic() + _UPGRADE_WAIT_S
        while True:
            with self._lock.alone() as is_alone:
                try:
                    # Room for a second copy of what is rewritten: a quota must not keep a server from starting.
                    step = partial(self._open.open_tables, is_alone=is_alone)
                    self._open.databases = self.write(step, beyond_quota=True)
                    return
                except OutdatedStorage:
                    if time.monotonic() > ends_at_s:
                        raise
                # While the lock is released, so that of several processes one is alone.
                time.sleep(_UPGRADE_RETRY_S)

    @property
    def is_whole(self) -> bool:
        """Whether the file is as long as it was; microseconds."""
        if not self.map_lock.try_acquire_read():
            return True  # the map is moved, or another file adopted, which looks itself
        try:
            return self._open.file.is_whole
        finally:
            self.map_lock.release_read()

    @property
    def generation(self) -> int:
        """The number of the file that this process uses."""
        return self._open.number

    @property
    def map_bytes(self) -> int:
        """Size of the map."""
        with self.map_lock.read():
            return self._map_bytes()

    @property
    def is_read_only(self) -> bool:
        """Whether the disk takes no writes now, as some file systems do after a fault; microseconds."""
        return self._lock.is_read_only

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A read transaction: the storage at one moment, for the length of one call."""
        with our_errors(self.name):
            txn = self._begin_read()
            try:
                with txn:
                    yield Transaction(txn, self._open.databases)
            finally:
                self.map_lock.release_read()

    def _begin_read(self) -> "lmdb.Transaction[memoryview]":
        while True:
            self.map_lock.acquire_read()
            try:
                self._open.file.require_whole()
                txn = self._open.env.begin(buffers=True)
                if not self._is_moved(txn):
                    return txn
                moved = self._open
                txn.abort()
                self.map_lock.release_read()
            except lmdb.MapResizedError:
                self.map_lock.release_read()
                self._move_map(0)
            except lmdb.ReadersFullError:
                self.map_lock.release_read()
                if not self._open.env.reader_check():
                    raise
            except BaseException:
                self.map_lock.release_read()
                raise
            else:
                self._adopt(moved)

    def _is_moved(self, txn: "lmdb.Transaction[memoryview]") -> bool:
        meta = self._open.databases.get(META)  # none while the tables are opened
        return meta is not None and txn.get(MOVED_TO, db=meta) is not None

    def _adopt(self, moved: OpenFile) -> None:
        """Uses the generation that has taken the place of a file."""
        with self._adopting:
            if self._open is not moved:  # another thread was faster
                return
            following = open_current(
                self._folder, self._storage, self._first_map_bytes, above=moved.number
            )
            try:
                following.adopt_tables()
                with self.map_lock.write(_MOVE_WAIT_S):
                    self._end_snapshots()
                    self._open = following
                    self.adopted()
            except BaseException:
                following.close()
                raise
            moved.close()

    def has_moved(self) -> bool:
        """Whether the file that this process uses says that it has moved."""
        with self.map_lock.read(), self._open.env.begin(buffers=True) as txn:
            return self._is_moved(txn)

    @property
    def has_leftovers(self) -> bool:
        """Whether a file of another generation, or of a switch that did not end, is still there."""
        return has_leftovers(self._folder, self.generation, self._stub)

    @property
    def has_old_files(self) -> bool:
        """Whether a file that was replaced still has its bytes; true until `tidy` has looked, if there was one ever."""
        return has_old_files(self._folder, self.generation, self._stub)

    def tidy(self) -> None:
        """Adopts what another process has switched to, and erases what no process uses any more.

        To be called each second: a process that does nothing would keep a replaced file, and those who are deleted in it.
        Less than 0.1 ms if there is nothing to do.
        """
        with self.read() as transaction:
            is_noting = transaction.table(META).get(SWITCHING) is not None
        if not (is_noting or self.has_leftovers):
            return
        try:
            with our_errors(self.name), switching_alone(self._folder):
                self._sweep()
        except StorageBusy:  # whoever switches sweeps
            return

    def _sweep(self, at_step: Callable[[str], None] = lambda _: None) -> None:
        """Takes away what other generations and switches have left; under `switching_alone`."""
        with self.read() as transaction:
            is_noting = transaction.table(META).get(SWITCHING) is not None
        if is_noting:
            self.write(stop_noting, beyond_quota=True)
        self._stub = sweep(self._folder, self.generation, self._storage.format, at_step)

    def switch(
        self,
        rewrite: Rewrite = lambda _: None,
        *,
        at_step: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Moves the storage into a new file, its next generation, in which nothing is left of what was deleted before; blocks.

        Reads and writes of all processes go on meanwhile; writes wait while `rewrite` runs. Each process adopts the new
        file at its next transaction, or by `tidy`, and its snapshots end. The old file is overwritten with zeros and
        removed as soon as no process uses it: by this call, or by a later `tidy` of any process. If this raises, or the
        process is killed, the storage is what it was, in the file in use, with what was written meanwhile.

        Args:
            rewrite: changes the next generation before it is used, in a write transaction of its own: what it sees is the
                storage with all writes. Run again from the start if the map had to grow; if it raises, nothing has happened.
                Whatever takes long is to be prepared before: a write that waits longer than some seconds is refused.
            at_step: takes the name of each step, for tests.

        Raises:
            StorageBusy: another process switches, or the storage grew at the last moment; try again later.
            GalleryFull: the disk has no room for a second copy.
            StorageDamaged: the file was cut short.
        """
        with our_errors(self.name), switching_alone(self._folder) as lock:
            self._sweep(at_step)
            switch_to_next(self, self._folder, self._storage, lock, rewrite, at_step)
            at_step("moved")
            self._sweep(at_step)  # its read adopts the next generation

    def make_room(self, room_bytes: int) -> None:
        """Moves the map if less than this is free in it."""
        with self.map_lock.read():
            info = self._open.env.info()
            used_bytes = (info["last_pgno"] + 1) * self._open.file.page_bytes
            map_bytes = int(info["map_size"])
        if map_bytes - used_bytes < room_bytes:
            self._move_map(map_bytes + room_bytes)

    def write(
        self,
        change: Callable[[Transaction], T],
        *,
        beyond_quota: bool = False,
        aborted: Callable[[], None] = lambda: None,
    ) -> T:
        """Runs a change in a write transaction and commits it; on disk when this returns.

        Waits, without a bound, while another process has a write transaction: LMDB cannot do otherwise.

        Args:
            change: may be run again, from the start, when the map had to grow.
            beyond_quota: for deletions, which need room too (LMDB copies what it changes):
                neither a full storage nor a full disk may refuse to forget.
            aborted: called before the change is run again: what it wrote so far is undone.

        Raises:
            GalleryFull: no room; nothing was written.
            StorageBusy: the disk is read-only; nothing was written.
            StorageDamaged: the file was cut short.
        """
        while True:
            with our_errors(self.name):
                try:
                    with self.map_lock.read():
                        map_bytes = self._map_bytes()
                        opened = self._open
                        opened.file.require_whole()
                        opened.env.reader_check()
                        with opened.env.begin(write=True, buffers=True) as txn:
                            if self._is_moved(txn):
                                raise _Moved
                            result = change(self._noting(txn))
                        self._open.file.reach(self._open.env.info()["last_pgno"])
                        if beyond_quota:
                            self._reserve.make()
                        return result
                except _Moved:
                    self._adopt(opened)
                except lmdb.MapResizedError:  # another process has grown the map
                    self._move_map(0)
                except lmdb.MapFullError:
                    # The transaction was aborted, so the change runs again in a larger map.
                    grown = min(2 * map_bytes, max(self._max_bytes, map_bytes))
                    if grown == map_bytes and not beyond_quota:
                        raise
                    aborted()
                    self._move_map(max(grown, map_bytes + _DELETION_RESERVE_BYTES * beyond_quota))
                except lmdb.Error as error:
                    if self.is_read_only:
                        raise StorageBusy(
                            f"the disk of {self.name} is read-only: its operator must make it writable; nothing was written"
                        ) from error
                    if not self._is_of_full_disk(error):
                        raise
                    if not (beyond_quota and self._reserve.give_up()):
                        raise GalleryFull("the disk is full; nothing was written") from error
                    aborted()

    def _noting(self, txn: "lmdb.Transaction[memoryview]") -> Transaction:
        meta = self._open.databases.get(META)
        is_noting = meta is not None and txn.get(SWITCHING, db=meta) is not None
        return Transaction(txn, self._open.databases, is_noting)

    def statistics(self, galleries: tuple[GallerySize, ...]) -> StoreStatistics:
        """Returns the sizes of the file and the map, completed by those of the galleries.

        For the length of a read transaction. Free pages inside the file are not counted: the
        binding of LMDB does not expose its list of them.
        """
        info = self._open.env.info()
        used_pages = info["last_pgno"] + 1
        return StoreStatistics(
            file_bytes=self._open.path.stat().st_size,
            used_bytes=used_pages * self._open.env.stat()["psize"],
            map_bytes=info["map_size"],
            max_bytes=self._max_bytes,
            reader_count=_open_readers(self._open.env.readers()),
            galleries=galleries,
        )

    def snapshot(self) -> Snapshot:
        """Opens a read transaction that outlives the call."""
        txn = self._begin_read()
        try:
            snapshot = Snapshot(
                self.map_lock, Transaction(txn, self._open.databases), self._snapshots
            )
            self._snapshots.add(snapshot)
        finally:
            self.map_lock.release_read()
        return snapshot

    def change_count(self) -> int:
        """Returns a number that a write of any process raises; 0 while the map is moved. About 2 µs; does not wait."""
        if not self.map_lock.try_acquire_read():
            return 0
        try:
            # The transactions of a generation are counted from its beginning.
            count = int(self._open.env.info()["last_txnid"])
            return (self._open.number << _GENERATION_BITS) + count
        finally:
            self.map_lock.release_read()

    def _is_of_full_disk(self, error: lmdb.Error) -> bool:
        if isinstance(error, lmdb.DiskError):
            return True
        # LMDB reports a write that was cut short as an input/output error, whatever the reason.
        if error.code != errno.EIO:
            return False
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize < _FULL_DISK_BYTES

    def _map_bytes(self) -> int:
        return int(self._open.env.info()["map_size"])

    def _move_map(self, map_bytes: int) -> None:
        """Sets the map's size; 0 = what the file says. Another thread may have made it larger."""
        with self.map_lock.write(_MOVE_WAIT_S):
            if map_bytes and self._map_bytes() >= map_bytes:
                return
            self._end_snapshots()
            self._open.env.set_mapsize(map_bytes)

    def _end_snapshots(self) -> None:
        for snapshot in tuple(self._snapshots):  # one may be closing in another thread
            snapshot.transaction.txn.abort()
        self._snapshots.clear()

    def close(self) -> None:
        """Ends what is open and releases the files. No transaction of a call may be open."""
        with self.map_lock.write():
            self._end_snapshots()
            self._open.close()
            self._lock.release()


def _open_readers(table: str) -> int:
    # One line a slot: process, thread, and the transaction or "-".
    return sum(line.split()[-1].isdecimal() for line in table.splitlines() if line.strip())
