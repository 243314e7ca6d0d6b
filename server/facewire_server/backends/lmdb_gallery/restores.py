"""A backup takes the place of the galleries in a folder: by a switch if they can be read, else by a file that no process uses yet."""

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from facewire_server.backends.lmdb_gallery.backups import MANIFEST, storage_files, verify
from facewire_server.backends.lmdb_gallery.deleting_again import DeletedAgain
from facewire_server.backends.lmdb_gallery.erasure import erase_deleted
from facewire_server.backends.lmdb_gallery.restoring import (
    Restored,
    opened_for_restore,
    raised_copy,
    replace_galleries,
)
from facewire_server.backends.lmdb_gallery.storage_check import damaged_galleries
from facewire_server.backends.lmdb_storage.erasing import NotErased, erase
from facewire_server.backends.lmdb_storage.folder import FolderInUse, alone_in
from facewire_server.backends.lmdb_storage.growth import Progress, unshown
from facewire_server.backends.lmdb_storage.open_file import RESTORED_PART
from facewire_server.errors import ServerError, StorageDamaged
from facewire_server.galleries.deletions import LaterDeletions, nothing_later
from facewire_server.host.disk import sync_path
from facewire_server.host.private_files import make_private_folder

__all__ = ["restore"]

_FILE: Final = "data.mdb"
"""The storage in its folder, and in a backup."""

_LOCK: Final = "lock.mdb"
"""LMDB's table of readers, which whoever opens the storage makes."""


def restore(
    backup: Path,
    folder: Path,
    *,
    is_replacing: bool = False,
    begins: Callable[[], None] = lambda: None,
    later: LaterDeletions = nothing_later,
    progress: Progress = unshown,
) -> Restored:
    """Puts a backup into a folder; who was deleted later is deleted again.

    A process that is killed leaves what was there, or the backup. In a folder without a storage, or in the place of one that cannot be
    read, it may leave `RESTORED_PART` and no storage: no server starts beside it, and the same call completes it.

    Args:
        backup: a folder of `back_up`.
        folder: of the storage.
        is_replacing: in the place of what is there, also while servers use it, if it can be read; else there must be no storage.
            If that cannot be read, or there is none, no server may use the folder.
        begins: called before anything that is there is replaced.
        later: says what is known of later deletions.
        progress: takes the share that is done of each check, then of the copy.

    Raises:
        StorageDamaged: the backup is.
        StorageBusy: a server rewrites the storage now.
        GalleryFull: the disk has no room for a second copy.
        OSError: it is no backup, or the folder has a storage or is in use; or it is restored, and may be gone after a power cut.
    """
    if not (backup / MANIFEST).exists():
        raise OSError(f"{backup} is no backup: it has no {MANIFEST}")
    verify(backup, progress=progress)
    found = " and ".join(map(str, storage_files(folder)))
    if not found:
        return _put(backup, folder, later, progress)
    if not is_replacing:
        raise OSError(
            f"there is a gallery in {folder}: with --replace the backup takes its place, also while a server runs, and what "
            f"is there now is lost unless there is a backup of it; or stop the server and move {found} away first"
        )
    try:
        damaged_galleries(
            folder, progress=progress
        )  # one that cannot be read as a whole would end this process
        return replace_galleries(folder, backup / _FILE, begins, later, progress)
    except StorageDamaged as error:
        try:
            return _put(backup, folder, later, progress, begins)
        except FolderInUse as in_use:
            raise FolderInUse(
                f"what is there cannot be read ({error}), and a process uses it: stop the server, then restore again"
            ) from in_use


def _put(
    backup: Path,
    folder: Path,
    later: LaterDeletions,
    progress: Progress,
    replacing: Callable[[], None] | None = None,
) -> Restored:
    """Puts a backup into a folder without a storage; with `replacing`, which is called before, in the place of one that cannot be read."""
    make_private_folder(folder)
    with alone_in(folder):
        if replacing is None and storage_files(folder):
            raise OSError(f"there is a gallery in {folder} since a moment: restore again")
        part = folder / RESTORED_PART
        if part.exists():  # of a restore that was interrupted
            erase(part)
        try:
            again = raised_copy(backup / _FILE, part, later, progress)
        except BaseException:
            with suppress(OSError):
                erase(part)
            raise
        if replacing is not None:
            replacing()
            for file in storage_files(folder):
                erase(file)
        (folder / _LOCK).unlink(missing_ok=True)
        part.rename(folder / _FILE)
        for one in (folder, folder.parent):
            sync_path(one)
    return Restored(_is_erased(folder, again), again)


def _is_erased(folder: Path, again: DeletedAgain) -> bool:
    """Takes what was deleted again out of the file; returns False if a server must do it later."""
    if again.is_nothing:
        return True
    with suppress(ServerError, NotErased), closing(opened_for_restore(folder)) as environment:
        erase_deleted(environment)
        return not environment.has_old_files
    return False
