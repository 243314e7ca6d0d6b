"""What is in the galleries' storage, also as lines to print; read beside the servers that use it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from facewire_server.backends.lmdb_gallery.erasure import pending_since_us
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.listing import listed_galleries
from facewire_server.backends.lmdb_gallery.storage_check import damaged_galleries
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.generations import generations
from facewire_server.galleries.records import GalleryInfo

__all__ = ["gallery_infos", "statistics_lines"]

_MAP_BYTES = 1 << 30
"""Address space to begin with; LMDB takes more if the file is larger."""


def gallery_infos(folder: Path) -> list[GalleryInfo]:
    """Returns the galleries of a storage, in order of id; none if there is no storage.

    Raises:
        StorageDamaged, OSError: the storage cannot be used.
    """
    if not (folder.is_dir() and generations(folder)):
        return []
    opening = Environment(folder, GALLERY_STORAGE, map_bytes=_MAP_BYTES, max_bytes=_MAP_BYTES)
    with closing(opening) as environment, environment.read() as transaction:
        return listed_galleries(transaction)[0]


def statistics_lines(folder: Path) -> Iterator[str]:
    """Yields a line for the file, and one for each gallery.

    Raises:
        StorageDamaged, OSError: the storage cannot be used.
    """
    if not (folder.is_dir() and generations(folder)):
        raise OSError(f"there is no gallery in {folder}: name the data folder of the server")
    damaged = damaged_galleries(folder)
    opening = Environment(folder, GALLERY_STORAGE, map_bytes=_MAP_BYTES, max_bytes=_MAP_BYTES)
    with closing(opening) as environment, environment.read() as transaction:
        found, unreadable = listed_galleries(transaction)
        total = environment.statistics(())
        tables_bytes = transaction.used_bytes()
        yield (
            f"file: generation {environment.generation}, {total.file_bytes} bytes, {tables_bytes} in use, "
            f"{'something' if pending_since_us(transaction) else 'nothing'} to be erased"
        )
    for info in found:
        yield (
            f"{info.gallery_id}: revision {info.revision}, {info.identity_count} people, {info.template_count} templates, "
            f"{info.negative_example_count} negative examples, "
            f"{info.pending_purge_count} deletions pending"
        )
    for gallery_id in sorted({*damaged, *unreadable}):
        yield f"{gallery_id}: damaged"
