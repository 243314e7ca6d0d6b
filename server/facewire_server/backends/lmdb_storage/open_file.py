"""A storage's file, open in this process: LMDB's environment over it, and its tables."""

import os
import time
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.data_file import DataFile, FileGone
from facewire_server.backends.lmdb_storage.erasing import PART, switching_alone
from facewire_server.backends.lmdb_storage.generations import (
    FIRST,
    file_of,
    generations,
    is_moved,
    open_lmdb,
)
from facewire_server.backends.lmdb_storage.lock_file import MAX_READERS
from facewire_server.backends.lmdb_storage.opened_tables import adopted_tables, opened_tables
from facewire_server.backends.lmdb_storage.tables import Storage, Transaction
from facewire_server.backends.lmdb_storage.vendor_errors import our_errors
from facewire_server.errors import GalleryDamaged, StorageDamaged
from facewire_server.host.disk import sync_path
from facewire_server.host.private_files import open_private

__all__ = [
    "RESTORED_PART",
    "OpenFile",
    "make_file",
    "open_current",
]

RESTORED_PART: Final = "data.mdb.part"
"""The file that a restore writes before it has the storage's name."""

_NEW_PART: Final = f"new{PART}"
"""The file that becomes a new storage, before it has the storage's name."""

_SPARE_READERS = 16
"""Read transactions kept for reuse: more than a process usually runs at once. Chosen, not measured."""

_LOOKS: Final = 50
"""Looks for the generation in use, between which another process may switch. Chosen, not measured."""

_LOOK_S: Final = 0.02
"""Seconds between two of them. Chosen, not measured."""


class OpenFile:
    """One file of a storage.

    Attributes:
        number: its generation.
        path: where it is.
        env: LMDB's environment.
        file: what is known of the file itself.
        databases: of the tables, by name; empty until they are open.
    """

    def __init__(self, folder: Path, storage: Storage, map_bytes: int, number: int) -> None:
        """Opens the file of a generation.

        Raises:
            StorageDamaged: it is empty, cut short or damaged.
            FileGone, FileNotFoundError: a later generation has taken its place.
            OSError: it cannot be opened, or is open in this process already.
        """
        self.number = number
        self.path = path = file_of(folder, number)
        self._storage = storage
        self.databases: dict[str, lmdb._Database] = {}
        self.file = DataFile(path, storage.name)
        try:
            with our_errors(storage.name):
                self.env = open_lmdb(
                    path,
                    map_size=map_bytes,
                    mode=0o600,
                    max_dbs=len(storage.all_tables),
                    max_readers=MAX_READERS,
                    max_spare_txns=_SPARE_READERS,
                    sync=storage.is_synced,
                    metasync=storage.is_synced,
                )
        except GalleryDamaged as error:
            self.file.close()
            raise StorageDamaged(
                f"{path} is damaged: {error.__cause__}; restore it from a backup"
            ) from error
        except BaseException:
            self.file.close()
            raise

    def open_tables(
        self, transaction: Transaction, *, is_alone: bool = False
    ) -> "dict[str, lmdb._Database]":
        """Opens the tables; see `opened_tables`."""
        return opened_tables(self.env, self._storage, transaction, is_alone=is_alone)

    def adopt_tables(self) -> None:
        """Opens the tables of a file that a switch has made.

        Waits for a write of another process: LMDB keeps open only what was opened in a write transaction.

        Raises:
            UnusableStorage: another version has switched to it.
            StorageDamaged: it lacks a table.
        """
        with our_errors(self._storage.name):
            while True:
                try:
                    with self.env.begin(write=True, buffers=True) as txn:
                        self.databases = adopted_tables(self.env, self._storage, txn)
                        return
                except lmdb.MapResizedError:  # another process has grown the map
                    self.env.set_mapsize(0)

    def close(self) -> None:
        """Closes it; no transaction may be open."""
        self.env.close()
        self.file.close()


def open_current(folder: Path, storage: Storage, map_bytes: int, above: int = 0) -> OpenFile:
    """Opens the generation in use, and makes the first one if there is none.

    Args:
        folder: of the storage.
        storage: which.
        map_bytes: size of the map to start with.
        above: a generation that is known to have moved; 0 = none.

    Raises:
        StorageDamaged: the file is, or the one that the storage was moved to is missing.
        OSError: it cannot be opened, is open in this process already, or was being restored.
    """
    for _ in range(_LOOKS):
        numbers = generations(folder)
        if not numbers and not above:
            _require_no_restore(folder)
            make_file(file_of(folder, FIRST))
            numbers = [FIRST]
        for number in numbers:
            if number <= above:
                continue
            try:
                opened = OpenFile(folder, storage, map_bytes, number)
            except (FileGone, FileNotFoundError):
                continue
            try:
                with our_errors(storage.name):
                    has_moved = is_moved(opened.env)
            except BaseException:
                opened.close()
                raise
            if not has_moved:
                return opened
            opened.close()
        time.sleep(_LOOK_S)
    raise StorageDamaged(
        f"{storage.name} is damaged: the file in {folder} that it was moved to is missing; restore it from a backup"
    )


def _require_no_restore(folder: Path) -> None:
    """Raises OSError if a restore was interrupted: a new storage in its place would look as if everybody had been deleted."""
    if (folder / RESTORED_PART).exists():
        raise OSError(f"a restore into {folder} was interrupted: run it again")


def make_file(path: Path) -> None:
    """Makes a new file, whole or not at all: an empty one is damage, and never the beginning of a storage.

    What a process leaves that is killed meanwhile is taken away by the next one that makes the file, or sweeps.

    Raises:
        OSError: it cannot be made, or its name not be brought to the disk: nothing may be acknowledged then.
    """
    part = path.with_name(_NEW_PART)
    with switching_alone(path.parent, waits=True):
        if path.exists():  # another process was faster
            return
        part.unlink(missing_ok=True)
        try:
            os.close(open_private(part, os.O_RDWR | os.O_EXCL))
            # Nothing shares a file of this name, so it needs no lock.
            lmdb.open(str(part), subdir=False, lock=False, mode=0o600).close()
            # Before it has its name: after a power cut a file whose pages are not on disk would be empty, hence damage.
            sync_path(part)
            # Not by a second name: a process that is killed would leave one of the storage, which is no leftover.
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
        # Before anything is acknowledged: a name that is not on disk takes all that is written under it along.
        for folder in path.parents[:2]:
            sync_path(folder)
