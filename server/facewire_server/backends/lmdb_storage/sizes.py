"""What a storage's file and its map take."""

from facewire_server.backends.lmdb_storage.open_file import OpenFile
from facewire_server.galleries.records import GallerySize, StoreStatistics

__all__ = ["store_statistics"]


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
    )


def _open_readers(table: str) -> int:
    # One line a slot: process, thread, and the transaction or "-".
    return sum(line.split()[-1].isdecimal() for line in table.splitlines() if line.strip())
