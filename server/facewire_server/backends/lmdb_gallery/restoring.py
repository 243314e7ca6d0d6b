"""What a backup takes over from the galleries that it replaces: nothing that was seen of them may mean something else afterwards."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError

from facewire_server.backends.lmdb_gallery.changes import now_us
from facewire_server.backends.lmdb_gallery.erasure import erased_within, restore_counts
from facewire_server.backends.lmdb_gallery.floors import Floors, floors_of, raise_floors
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key

__all__ = ["replace_galleries", "restored_generation"]

_MAP_BYTES: Final = 1 << 30
"""Address space to begin with; LMDB takes more if the file is larger."""

_RESTORED: Final = b"restored"
"""Key in "meta" of the number of the generation that a restore has made."""


def replace_galleries(folder: Path, backup: Path, begins: Callable[[], None]) -> bool:
    """Puts a backup in the place of the galleries in a folder, also while servers use them; blocks.

    Revisions, and the numbers of people, go on from those that were there, so that neither comes twice.

    Args:
        folder: of the storage.
        backup: file of the backup, which was verified.
        begins: called before anything is changed.

    Returns:
        Whether the old file is erased; if not, the servers erase it later.

    Raises:
        StorageDamaged, OSError: the storage cannot be used, or the backup is of a later version; the storage is as it was.
        StorageBusy: a server rewrites it now.
        GalleryFull: the disk has no room for a second copy.
        NotErased: the backup is in its place, and the old file cannot be erased: the servers try again.
    """
    opening = Environment(folder, GALLERY_STORAGE, map_bytes=_MAP_BYTES, max_bytes=_MAP_BYTES)
    with closing(opening) as environment:

        def carry(present: Transaction, copied: Transaction) -> None:
            _carry_floors(present, copied)
            restore_counts(present, copied)
            copied.table("meta").put(_RESTORED, number_key(environment.generation + 1))

        begins()
        environment.replace(backup, carry)
        return erased_within(environment)


def restored_generation(transaction: Transaction) -> int:
    """Returns the number of the last generation that a restore has made, also after later switches; reads one key.

    0 = none, and one above that of the file = of the storage that a backup is of.
    """
    return int.from_bytes(transaction.table("meta").get(_RESTORED) or b"", "big")


def _carry_floors(present: Transaction, copied: Transaction) -> None:
    """Raises the revisions and numbers of the copied galleries above those of the present ones."""
    raise_floors(copied, floors_of(present))
    floors = floors_of(copied)
    before = _records(present)
    galleries = copied.table("galleries")
    for gallery_id, record in _records(copied).items():
        was = before.pop(gallery_id, None)
        seen = floors if was is None else Floors(was.revision, was.next_number)
        record.revision = max(record.revision, seen.revision) + 1
        record.next_number = max(record.next_number, seen.next_number)
        galleries.put(gallery_id, record.SerializeToString())
    for gone in before.values():
        raise_floors(copied, Floors(gone.revision, gone.next_number))


def _records(transaction: Transaction) -> dict[bytes, Gallery]:
    """Returns the records by gallery id; what a damaged one said is unknown: see `delete_gallery`."""
    found: dict[bytes, Gallery] = {}
    for gallery_id, value in transaction.table("galleries").scan():
        try:
            found[gallery_id] = Gallery.FromString(value)
        except DecodeError:
            found[gallery_id] = Gallery(revision=now_us(), next_number=now_us())
    return found
