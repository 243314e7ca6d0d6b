"""The records of all galleries; one that cannot be parsed hides no other."""

from collections.abc import Iterator

from google.protobuf.message import DecodeError

from facewire_server.backends.lmdb_gallery.contents import gallery_info
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.galleries.records import GalleryInfo

__all__ = ["listed_galleries"]


def listed_galleries(
    transaction: Transaction, *, after: str = "", limit: int | None = None
) -> tuple[list[GalleryInfo], set[str]]:
    """Returns galleries in order of id, and the ids of those passed over, whose records cannot be parsed.

    Args:
        transaction: to read in.
        after: only ids above this; "" = all.
        limit: most galleries; None = all.
    """
    found: list[GalleryInfo] = []
    unreadable: set[str] = set()
    for gallery_id, value in _values(transaction, after):
        if len(found) == limit:
            break
        try:
            found.append(gallery_info(gallery_id, Gallery.FromString(value)))
        except DecodeError:
            unreadable.add(gallery_id)
    return found, unreadable


def _values(transaction: Transaction, after: str) -> Iterator[tuple[str, bytes]]:
    # No id is longer than 64 bytes, so cutting `after` to that length changes no comparison.
    for key, value in transaction.table("galleries").scan(after=after.encode()[:65]):
        yield key.decode(errors="backslashreplace"), value
