"""The LMDB environment: transactions, and the room that they need."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import lmdb

from facewire_server.backends.lmdb_storage.erasing import part_of
from facewire_server.backends.lmdb_storage.file_in_use import FileInUse
from facewire_server.backends.lmdb_storage.folder import FolderLock
from facewire_server.backends.lmdb_storage.moving import Rewrite
from facewire_server.backends.lmdb_storage.replacing import Carry
from facewire_server.backends.lmdb_storage.reserve import DeletionReserve
from facewire_server.backends.lmdb_storage.rewriting import Rewriting
from facewire_server.backends.lmdb_storage.sizes import store_statistics
from facewire_server.backends.lmdb_storage.snapshot import Snapshot
from facewire_server.backends.lmdb_storage.tables import Storage, Transaction
from facewire_server.backends.lmdb_storage.upgrading import open_or_upgrade
from facewire_server.backends.lmdb_storage.vendor_errors import (
    is_of_full_disk,
    is_of_read_only_disk,
    our_errors,
    read_only,
)
from facewire_server.errors import GalleryFull, StorageBusy
from facewire_server.galleries.records import GallerySize, StoreStatistics
from facewire_server.host.disk import sync_path

__all__ = ["Environment"]

T = TypeVar("T")

_DELETION_RESERVE_BYTES: Final = 64 << 20
"""Bytes by which a deletion may grow a full map at a time. Chosen, not measured."""


class _Moved(Exception):
    """The file has been replaced by its next generation; ends a transaction before anything is done in it."""


class Environment:
    """One LMDB environment in a folder, opened once in each process that uses it.

    Its file is a generation (`generations`): `switch` makes the next one, and every process adopts it at its next
    transaction, or by `tidy`.

    The map (`FileInUse`) is address space, not memory or disk. When it is full the process that writes doubles it, up to a quota;
    the others notice at their next transaction and adopt the new size.

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
        self._max_bytes = max_bytes
        self.adopted: Callable[[], None] = lambda: None
        self._rewriting = Rewriting(self, folder, storage)
        self._lock = FolderLock(folder)
        try:
            self._file = FileInUse(
                folder, storage, min(map_bytes, max_bytes), lambda: self.adopted()
            )
            self.map_lock = self._file.map_lock
            self._reserve = DeletionReserve(folder, storage.reserve_bytes)
        except BaseException:
            self._lock.release()
            raise
        try:
            if storage.is_synced:
                # When the file is open: who made it may have been killed, or its wait for the disk have failed, before its name was on it.
                sync_path(folder)
            open_or_upgrade(self._file.opened, self.write, self._lock)
            # What cannot be tidied now must not keep a server from starting.
            with suppress(GalleryFull, StorageBusy, OSError):
                self.tidy()
        except BaseException:
            self.close()
            raise

    @property
    def is_whole(self) -> bool:
        """Whether the file is as long as it was; microseconds."""
        return self._file.is_whole

    @property
    def generation(self) -> int:
        """The number of the file that this process uses."""
        return self._file.opened.number

    @property
    def next_part(self) -> Path:
        """The file that the next switch writes, until it takes the place of the one in use."""
        return part_of(self._folder, self.generation + 1)

    @property
    def map_bytes(self) -> int:
        """Size of the map."""
        with self.map_lock.read():
            return self._file.map_bytes()

    @property
    def is_read_only(self) -> bool:
        """Whether the disk takes no writes now, as some file systems do after a fault; microseconds."""
        return self._lock.is_read_only

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A read transaction: the storage at one moment, for the length of one call."""
        with our_errors(self.name), self._file.reading() as transaction:
            yield transaction

    def has_moved(self) -> bool:
        """Whether the file that this process uses says that it has moved."""
        return self._file.has_moved()

    @property
    def has_leftovers(self) -> bool:
        """Whether a file of another generation, or of a switch that did not end, is still there."""
        return self._rewriting.has_leftovers

    @property
    def has_old_files(self) -> bool:
        """Whether a file that was replaced still has its bytes; true until `tidy` has looked, if there was one ever."""
        return self._rewriting.has_old_files

    def tidy(self) -> None:
        """Adopts what another process has switched to, and erases what no process uses any more.

        To be called each second: a process that does nothing would keep a replaced file, and those who are deleted in it.
        Less than 0.1 ms if there is nothing to do.
        """
        self._rewriting.tidy()

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
            NotErased: it has moved, and the old file cannot be erased now.
        """
        self._rewriting.switch(rewrite, at_step)

    def replace(self, file: Path, carry: Carry) -> None:
        """Puts another storage in the place of this one, as its next generation; blocks.

        As `switch`, but nothing of the file in use stays, what is written meanwhile included: but for what `carry` takes along.

        Args:
            file: of the other storage, of this format or an earlier one; it is copied.
            carry: changes the copy by what it replaces, before it is used.

        Raises:
            UnusableStorage: no storage that this version knows.
            StorageBusy, GalleryFull, StorageDamaged, NotErased: see `switch`.
        """
        self._rewriting.replace(file, carry)

    def make_room(self, room_bytes: int) -> None:
        """Moves the map if less than this is free in it."""
        self._file.make_room(room_bytes)

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
                        map_bytes = self._file.map_bytes()
                        opened = self._file.opened
                        opened.file.require_whole()
                        opened.env.reader_check()
                        with opened.env.begin(write=True, buffers=True) as txn:
                            if self._file.is_moved(txn):
                                raise _Moved
                            result = change(self._file.writing(txn))
                        # It is committed: what fails from here on is no failure of it.
                        with suppress(OSError, lmdb.Error):
                            opened.file.reach(opened.env.info()["last_pgno"])
                            if beyond_quota:
                                self._reserve.make()
                        return result
                except _Moved:
                    self._file.adopt(opened)
                except lmdb.MapResizedError:  # another process has grown the map
                    self._file.move_map(0)
                except lmdb.MapFullError:
                    # The transaction was aborted, so the change runs again in a larger map.
                    grown = min(2 * map_bytes, max(self._max_bytes, map_bytes))
                    if grown == map_bytes and not beyond_quota:
                        raise
                    aborted()
                    room_bytes = _DELETION_RESERVE_BYTES * beyond_quota
                    self._file.move_map(max(grown, map_bytes + room_bytes))
                except (lmdb.Error, OSError) as error:
                    if is_of_read_only_disk(error) or self.is_read_only:
                        raise read_only(self.name) from error
                    if not is_of_full_disk(error, self._folder):
                        raise
                    if not (beyond_quota and self._reserve.give_up()):
                        raise GalleryFull("the disk is full; nothing was written") from error
                    aborted()

    def statistics(self, galleries: tuple[GallerySize, ...]) -> StoreStatistics:
        """See `store_statistics`; for the length of a read transaction."""
        return store_statistics(self._file.opened, self._max_bytes, galleries)

    def snapshot(self) -> Snapshot:
        """Opens a read transaction that outlives the call."""
        return self._file.snapshot()

    def change_count(self) -> int:
        """Returns a number that a write of any process raises; 0 while the map is moved. About 2 µs; does not wait."""
        return self._file.change_count()

    def close(self) -> None:
        """Ends what is open and releases the files. No transaction of a call may be open."""
        self._file.close()
        self._lock.release()
