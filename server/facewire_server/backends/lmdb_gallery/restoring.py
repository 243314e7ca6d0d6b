"""What a backup takes over from the galleries that it replaces: nothing that was seen of them may mean something else afterwards."""

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from facewire_server.backends.lmdb_gallery.changes import now_us
from facewire_server.backends.lmdb_gallery.deleting_again import DeletedAgain, delete_again
from facewire_server.backends.lmdb_gallery.erasure import (
    erase_deleted,
    erased_within,
    restore_counts,
)
from facewire_server.backends.lmdb_gallery.floors import Floors, floors_of, raise_floors
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.listing import listed_galleries
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.erasing import NotErased
from facewire_server.backends.lmdb_storage.growth import Progress, shown_growth
from facewire_server.backends.lmdb_storage.replacing import changed_copy
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.errors import ServerError
from facewire_server.galleries.deletions import LaterDeletions

__all__ = [
    "Restored",
    "opened_for_restore",
    "raised_copy",
    "replace_galleries",
    "restored_generation",
]

_MAP_BYTES: Final = 1 << 30
"""Address space to begin with; LMDB takes more if the file is larger."""

_RESTORED: Final = b"restored"
"""Key in "meta" of the number of the generation that a restore has made."""


class Restored(NamedTuple):
    """A backup that is in its place.

    Attributes:
        is_erased: nothing of what was there before, nor of who was deleted again, is left; if not, the servers erase it later.
        again: what was deleted again.
        failure: why the old file cannot be erased now.
    """

    is_erased: bool
    again: DeletedAgain
    failure: NotErased | None = None


def opened_for_restore(folder: Path) -> Environment:
    """Opens the galleries' storage in a folder; raises as `Environment` does."""
    return Environment(folder, GALLERY_STORAGE, map_bytes=_MAP_BYTES, max_bytes=_MAP_BYTES)


def replace_galleries(
    folder: Path,
    backup: Path,
    begins: Callable[[], None],
    later: LaterDeletions,
    progress: Progress,
) -> Restored:
    """Puts a backup in the place of the galleries in a folder, also while servers use them; blocks.

    Revisions, and the numbers of people, go on from those that were there, so that neither comes twice.

    Args:
        folder: of the storage.
        backup: file of the backup, which was verified.
        begins: called before anything is changed.
        later: called while no gallery takes a write.
        progress: takes the share of the copy that is done.

    Raises:
        StorageDamaged, OSError: the storage cannot be used, or the backup is of a later version; the storage is as it was.
        StorageBusy: a server rewrites it now.
        GalleryFull: the disk has no room for a second copy.
    """
    again = DeletedAgain()
    with closing(opened_for_restore(folder)) as environment:

        def carry(present: Transaction, copied: Transaction) -> None:
            nonlocal again
            seen = later(_revisions(present), _revisions(copied))
            _carry_floors(present, copied)
            restore_counts(present, copied)
            again = delete_again(copied, seen.deleted)
            copied.table("meta").put(_RESTORED, number_key(environment.generation + 1))

        begins()
        try:
            with shown_growth(environment.next_part, backup.stat().st_size, progress):
                environment.replace(backup, carry)
            if not again.is_nothing:
                with suppress(ServerError):  # then a server does it within `erase_within_s`
                    erase_deleted(environment)
            return Restored(erased_within(environment), again)
        except NotErased as error:
            return Restored(False, again, error)


def raised_copy(
    backup: Path, into: Path, later: LaterDeletions, progress: Progress
) -> DeletedAgain:
    """Copies a backup for a folder of which no galleries can be read.

    What was seen of them is not known: the time in microseconds since 1970, which no count of changes reaches, takes the place of
    the last revision and number of each, unless `later` knows higher ones.

    Args:
        backup: file of the backup, which was verified.
        into: the file, which does not exist.
        later: what is known of later deletions.
        progress: takes the share of the copy that is done.

    Raises:
        UnusableStorage: the backup is of a later version.
        OSError, GalleryFull: the disk is full.
    """
    again = DeletedAgain()

    def change(copied: Transaction) -> None:
        nonlocal again
        seen = later({}, _revisions(copied))
        unknown = Floors(max(now_us(), seen.revision), max(now_us(), seen.number + 1))
        raise_floors(copied, unknown)
        _raise(copied, dict.fromkeys(_records(copied), unknown))
        again = delete_again(copied, seen.deleted)

    with shown_growth(into, backup.stat().st_size, progress):
        changed_copy(backup, into, GALLERY_STORAGE, change)
    return again


def restored_generation(transaction: Transaction) -> int:
    """Returns the number of the last generation that a restore has made, also after later switches; reads one key.

    0 = none, and one above that of the file = of the storage that a backup is of.
    """
    return int.from_bytes(transaction.table("meta").get(_RESTORED) or b"", "big")


def _carry_floors(present: Transaction, copied: Transaction) -> None:
    """Raises the revisions and numbers of the copied galleries above those of the present ones."""
    raise_floors(copied, floors_of(present))
    floors = floors_of(copied)
    before = {
        gallery_id: Floors(record.revision, record.next_number)
        for gallery_id, record in _records(present).items()
    }
    _raise(copied, {one: before.pop(one, floors) for one in _records(copied)})
    for gone in before.values():
        raise_floors(copied, gone)


def _raise(copied: Transaction, seen: Mapping[bytes, Floors]) -> None:
    galleries = copied.table("galleries")
    for gallery_id, record in _records(copied).items():
        record.revision = max(record.revision, seen[gallery_id].revision) + 1
        record.next_number = max(record.next_number, seen[gallery_id].next_number)
        galleries.put(gallery_id, record.SerializeToString())


def _revisions(transaction: Transaction) -> dict[str, int]:
    """Returns the revision of each gallery whose record can be read."""
    return {one.gallery_id: one.revision for one in listed_galleries(transaction)[0]}


def _records(transaction: Transaction) -> dict[bytes, Gallery]:
    """Returns the records by gallery id; what a damaged one said is unknown: see `delete_gallery`."""
    found: dict[bytes, Gallery] = {}
    for gallery_id, value in transaction.table("galleries").scan():
        try:
            found[gallery_id] = Gallery.FromString(value)
        except DecodeError:
            found[gallery_id] = Gallery(revision=now_us(), next_number=now_us())
    return found
