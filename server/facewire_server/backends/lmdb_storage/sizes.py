"""What a storage's file and its map take."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from facewire_server.backends.lmdb_storage.open_file import OpenFile
from facewire_server.galleries.records import GallerySize, StoreStatistics
from facewire_server.host.private_files import open_private

__all__ = ["note_backup", "store_statistics"]

_LAST_BACKUP: Final = "last_backup"
"""The empty file in a storage's folder whose time is that of the last backup."""


def store_statistics(
    opened: OpenFile, max_bytes: int, galleries: tuple[GallerySize, ...]
) -> StoreStatistics:
    """Returns the sizes of the file and the map, completed by those of the galleries.

    Free pages inside the file are not counted: the binding of LMDB does not expose its list of them.

    Args:
        opened: the file, of which the caller has a read transaction.
        max_bytes: that the map may grow to.
        galleries: in it.
    """
    info = opened.env.info()
    used_pages = info["last_pgno"] + 1
    return StoreStatistics(
        file_bytes=opened.path.stat().st_size,
        used_bytes=used_pages * opened.env.stat()["psize"],
        map_bytes=info["map_size"],
        max_bytes=max_bytes,
        reader_count=_open_readers(opened.env.readers()),
        galleries=galleries,
        backed_up_at_s=_backed_up_at_s(opened.path.parent),
    )


def note_backup(folder: Path) -> None:
    """Notes in a storage's folder that a backup was made now, if its disk takes writes."""
    with suppress(OSError):
        os.close(open_private(folder / _LAST_BACKUP))
        os.utime(folder / _LAST_BACKUP)


def _backed_up_at_s(folder: Path) -> float:
    try:
        return (folder / _LAST_BACKUP).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _open_readers(table: str) -> int:
    # One line a slot: process, thread, and the transaction or "-".
    return sum(line.split()[-1].isdecimal() for line in table.splitlines() if line.strip())
