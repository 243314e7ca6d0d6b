"""A storage's file, open in this process: LMDB's environment over it, and its tables."""

import contextlib
import os
import time
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.data_file import DataFile, FileGone
from facewire_server.backends.lmdb_storage.disk import sync_path
from facewire_server.backends.lmdb_storage.generations import (
    FIRST,
    file_of,
    generations,
    is_moved,
    open_lmdb,
)
from facewire_server.backends.lmdb_storage.lock_file import MAX_READERS
from facewire_server.backends.lmdb_storage.tables import Storage, Transaction
from facewire_server.backends.lmdb_storage.vendor_errors import our_errors
from facewire_server.errors import GalleryDamaged, StorageDamaged
from facewire_server.host.private_files import open_private

__all__ = [
    "RESTORED_PART",
    "OpenFile",
    "OutdatedStorage",
    "UnusableStorage",
    "make_file",
    "open_current",
    "opened_tables",
]

RESTORED_PART: Final = "data.mdb.part"
"""The file that a restore writes before it has the storage's name."""

_SPARE_READERS = 16
"""Read transactions kept for reuse: more than a process usually runs at once. Chosen, not measured."""

_LOOKS: Final = 50
"""Looks for the generation in use, between which another process may switch. Chosen, not measured."""

_LOOK_S: Final = 0.02
"""Seconds between two of them. Chosen, not measured."""


_FIRST_TRANSACTION: Final = 1
"""Of a file of `make_file`: it makes all tables."""


class UnusableStorage(OSError):
    """What lies in the folder is damaged, or of another version."""


class OutdatedStorage(UnusableStorage):
    """An earlier version made it, and this one can upgrade it while no other process uses it."""


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
        """
        with our_errors(self._storage.name):
            while True:
                try:
                    with self.env.begin(write=True, buffers=True) as txn:
                        self.databases = {
                            name: self.env.open_db(name.encode(), txn=txn, create=False)
                            for name in self._storage.all_tables
                        }
                        found = Transaction(txn, self.databases).table("meta").get(b"format")
                        break
                except lmdb.MapResizedError:  # another process has grown the map
                    self.env.set_mapsize(0)
        if found != self._storage.format:
            raise UnusableStorage(_other_version(self._storage, found or b"none"))

    def close(self) -> None:
        """Closes it; no transaction may be open."""
        self.env.close()
        self.file.close()


def opened_tables(
    environment: lmdb.Environment,
    storage: Storage,
    transaction: Transaction,
    *,
    is_alone: bool = False,
) -> "dict[str, lmdb._Database]":
    """Opens the tables of a storage, makes those that are missing, and upgrades what they hold.

    Args:
        environment: of its file.
        storage: which.
        transaction: a write transaction.
        is_alone: no other process uses the storage, so that it may be upgraded: an earlier version would go on
            writing what it knows.

    Returns:
        The databases of the tables, by name, which are open once the transaction is committed.

    Raises:
        OutdatedStorage: it must be upgraded, and `is_alone` is not set.
        UnusableStorage: another version made it, from which this one knows no way.
        StorageDamaged: it has been written to, and does not have what its first transaction wrote.
    """
    # Without a transaction, open_db would begin one for each table.
    databases = {
        name: environment.open_db(name.encode(), txn=transaction.txn) for name in storage.all_tables
    }
    opened = Transaction(transaction.txn, databases)
    meta = opened.table("meta")
    found = meta.get(b"format")
    if found == storage.format:
        return databases
    if found is not None:
        upgrade = storage.upgrades.get(found)
        if upgrade is None:
            raise UnusableStorage(_other_version(storage, found))
        if not is_alone:
            raise OutdatedStorage(
                f"{storage.name} must be upgraded, and a server of an earlier version uses it: stop that server"
            )
        upgrade(opened)
    elif transaction.txn.id() > _FIRST_TRANSACTION:
        # Else a root that leads elsewhere would look like a storage in which no one was ever enrolled.
        raise StorageDamaged(
            f"{environment.path()} is damaged: its tables are missing; restore it from a backup"
        )
    meta.put(b"format", storage.format)
    return databases


def _other_version(storage: Storage, found: bytes) -> str:
    ours = storage.format.decode()
    text = f"{storage.name} was made by another version of the server"
    if found.isdigit() and int(found) > int(ours):
        return (
            f"{text}: it has format {found.decode()}, and this server reads formats up to {ours}; "
            "start the newer server, or restore a backup that this version made"
        )
    return text


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
        if not numbers:
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
    """Makes a new file, whole or not at all: an empty one is damage, and never the beginning of a storage."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        os.close(open_private(temporary))
        # Nothing shares a file of this name, so it needs no lock.
        lmdb.open(str(temporary), subdir=False, lock=False, mode=0o600).close()
        # Before it has its name: after a power cut a file whose pages are not on disk would be empty, hence damage.
        sync_path(temporary)
        with contextlib.suppress(FileExistsError):  # another process was faster
            path.hardlink_to(temporary)
        # Before anything is acknowledged: a name that is not on disk takes all that is written under it along.
        for folder in path.parents[:2]:
            sync_path(folder)
    finally:
        temporary.unlink(missing_ok=True)
