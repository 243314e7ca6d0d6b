"""Copies a storage beside the processes that use it."""

import errno
import os
from pathlib import Path

import lmdb

from facewire_server.backends.lmdb_storage.folder import FolderLock
from facewire_server.backends.lmdb_storage.generations import is_moved, open_lmdb
from facewire_server.backends.lmdb_storage.growth import Progress, shown_growth
from facewire_server.backends.lmdb_storage.reading import reading_current
from facewire_server.backends.lmdb_storage.rebuilding import MOST_TABLES, copy_records
from facewire_server.backends.lmdb_storage.vendor_errors import is_of_full_disk, our_errors

__all__ = ["copy_backup", "copy_storage"]


def copy_storage(folder: Path, storage: str, into: Path, progress: Progress) -> None:
    """Writes the storage as it is at one moment, without free pages; readers and writers go on.

    Args:
        folder: of the storage, which no thread of this process has open.
        storage: its name, for the texts of errors.
        into: an empty folder.
        progress: takes the share that is done, 0 to 1.

    Raises:
        StorageDamaged, GalleryDamaged: the storage is damaged.
        OSError: it is used by another container, or the disk is full.
    """
    lock = FolderLock(folder)
    target = into / "data.mdb"
    try:
        while True:
            _copy(folder, storage, target, progress)
            with open_lmdb(target, max_dbs=1) as copied:
                if not is_moved(copied):
                    break
            target.unlink()  # a switch came between
    finally:
        lock.release()


def _copy(folder: Path, storage: str, target: Path, progress: Progress) -> None:
    with (
        our_errors(storage),
        reading_current(folder, storage, MOST_TABLES) as (_, environment),
    ):
        most_bytes = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
        with shown_growth(target, most_bytes, progress):
            _copy_records(environment, target)


def copy_backup(backup: Path, into: Path) -> None:
    """Copies the records of a backup into a new file, which is on the disk then; what else is in pages of the backup stays there.

    Args:
        backup: a storage's file, to which no process writes, and which was read once.
        into: the file, which does not exist.

    Raises:
        GalleryDamaged: the backup is damaged.
        OSError: the backup cannot be read, or the disk is full.
    """
    with (
        our_errors("the backup"),
        lmdb.open(
            str(backup), subdir=False, readonly=True, lock=False, max_dbs=MOST_TABLES
        ) as environment,
    ):
        _copy_records(environment, into)


def _copy_records(environment: lmdb.Environment, into: Path) -> None:
    try:
        copy_records(environment, into)
    except lmdb.Error as error:
        if not is_of_full_disk(error, into.parent):
            raise
        # Not the storage is full, but where the copy goes.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(into)) from error
