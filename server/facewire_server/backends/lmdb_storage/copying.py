"""Copies a storage beside the processes that use it."""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.data_file import DataFile
from facewire_server.backends.lmdb_storage.folder import FolderLock
from facewire_server.backends.lmdb_storage.vendor_errors import our_errors

__all__ = ["copy_storage"]

_LOOK_S: Final = 0.2
"""Seconds between two looks at how far a copy is. Chosen, not measured."""


def copy_storage(folder: Path, storage: str, into: Path, progress: Callable[[float], None]) -> None:
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
    try:
        with (
            closing(DataFile(folder / "data.mdb", storage)),
            our_errors(storage),
            lmdb.open(str(folder), readonly=True) as environment,
        ):
            pages = environment.info()["last_pgno"] + 1
            ended = threading.Event()
            watcher = threading.Thread(
                target=_watch,
                args=(into / "data.mdb", pages * environment.stat()["psize"], ended, progress),
            )
            watcher.start()
            try:
                environment.copy(str(into), compact=True)
            finally:
                ended.set()
                watcher.join()
            progress(1.0)
    finally:
        lock.release()


def _watch(
    file: Path, most_bytes: int, ended: threading.Event, progress: Callable[[float], None]
) -> None:
    while not ended.wait(_LOOK_S):
        if file.exists():
            progress(min(1.0, file.stat().st_size / most_bytes))
