"""A backup of all galleries: one file and a manifest with its checksum, made while servers run; and the way back."""

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.restoring import replace_galleries
from facewire_server.backends.lmdb_gallery.storage_check import damaged_galleries
from facewire_server.backends.lmdb_storage.copying import copy_backup, copy_storage
from facewire_server.backends.lmdb_storage.erasing import erase
from facewire_server.backends.lmdb_storage.folder import alone_in
from facewire_server.backends.lmdb_storage.generations import file_of, generations
from facewire_server.backends.lmdb_storage.open_file import RESTORED_PART
from facewire_server.errors import StorageDamaged
from facewire_server.host.disk import sync_path
from facewire_server.host.private_files import make_private_folder, open_private

__all__ = ["back_up", "restore", "verify"]

_FILE: Final = "data.mdb"
"""The storage in its folder, and in a backup."""

_LOCK: Final = "lock.mdb"
"""LMDB's table of readers, which whoever opens the storage makes."""

_MANIFEST: Final = "manifest.json"
"""What a backup says of itself."""


def back_up(folder: Path, into: Path, progress: Callable[[float], None]) -> None:
    """Copies the storage as it is at one moment, compacted; readers and writers of other processes go on.

    Args:
        folder: of the storage.
        into: folder of the backup, which appears when it is whole.
        progress: takes the share that is done, 0 to 1.

    Raises:
        StorageDamaged: the storage or a gallery in it is damaged; no backup was made.
        OSError: there is no storage, `into` exists, or the disk is full; or `into` is whole, and may be gone after a power cut.
    """
    if not _files(folder):
        raise OSError(f"there is no gallery in {folder}: name the data folder of the server")
    if into.exists():
        raise OSError(f"{into} exists: name a folder that does not")
    part = into.with_name(f"{into.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a backup that was interrupted
    make_private_folder(part)
    try:
        copy_storage(folder, GALLERY_STORAGE.name, part, progress)
        damaged = damaged_galleries(part)
        if damaged:
            raise StorageDamaged(
                f"damaged galleries: {', '.join(damaged)}; no backup was made: restore an earlier one"
            )
        (part / _LOCK).unlink(missing_ok=True)
        _write_manifest(part)
        part.rename(into)
        sync_path(into.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _write_manifest(part: Path) -> None:
    manifest = {
        "format": GALLERY_STORAGE.format.decode(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "bytes": (part / _FILE).stat().st_size,
        "sha256": _digest(part / _FILE),
    }
    with open(open_private(part / _MANIFEST), "w", encoding="utf-8") as opened:
        opened.write(json.dumps(manifest, indent=2) + "\n")
    for path in (part / _FILE, part / _MANIFEST, part):
        sync_path(path)


def verify(folder: Path, crop_keys: CropKeys | None = None) -> None:
    """Reads all of a backup, or of a storage, and compares it with what it says of itself.

    Args:
        folder: of either.
        crop_keys: with them the kept crops are decrypted, too.

    Raises:
        StorageDamaged: something is not what was written; the text says what.
        OSError: there is nothing to read.
    """
    if not _files(folder):
        raise OSError(f"there is no gallery in {folder}")
    if (folder / _MANIFEST).exists():
        _compare(folder)
    damaged = damaged_galleries(folder, crop_keys)
    if (folder / _MANIFEST).exists():
        (folder / _LOCK).unlink(missing_ok=True)  # nothing writes to a backup
    if damaged:
        raise StorageDamaged(f"damaged galleries in {folder}: {', '.join(damaged)}")


def _compare(backup: Path) -> None:
    try:
        stated = json.loads((backup / _MANIFEST).read_text(encoding="utf-8"))["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise StorageDamaged(
            f"{backup / _MANIFEST} is not a manifest: take another backup"
        ) from error
    if _digest(backup / _FILE) != stated:
        raise StorageDamaged(
            f"{backup / _FILE} is not what was written: its sha256 is another one; take another backup"
        )


def restore(
    backup: Path,
    folder: Path,
    *,
    is_replacing: bool = False,
    begins: Callable[[], None] = lambda: None,
) -> bool:
    """Puts a backup into a folder: whole, or not at all.

    Args:
        backup: a folder of `back_up`.
        folder: of the storage.
        is_replacing: in the place of what is there, also while servers use it; else there must be no storage, and no server
            may use the folder.
        begins: called before anything that is there is replaced.

    Returns:
        Whether nothing of what was there before is left; if not, the servers erase it later.

    Raises:
        StorageDamaged: the backup is, or, to be replaced, the storage as a whole.
        StorageBusy: a server rewrites the storage now.
        GalleryFull: the disk has no room for a second copy.
        NotErased: the backup is restored, and the old file cannot be erased: the servers try again.
        OSError: it is no backup, or the folder has a storage or is in use; or it is restored, and may be gone after a power cut.
    """
    if not (backup / _MANIFEST).exists():
        raise OSError(f"{backup} is no backup: it has no {_MANIFEST}")
    verify(backup)
    found = " and ".join(map(str, _files(folder)))
    if found and is_replacing:
        try:
            damaged_galleries(folder)  # one that cannot be read as a whole would end this process
            return replace_galleries(folder, backup / _FILE, begins)
        except StorageDamaged as error:
            raise StorageDamaged(
                f"what is there cannot be read ({error}): stop the server, move {found} away, then restore again"
            ) from error
    if found:
        raise OSError(
            f"there is a gallery in {folder}: with --replace the backup takes its place, also while a server runs, and what "
            f"is there now is lost unless there is a backup of it; or stop the server and move {found} away first"
        )
    _put(backup, folder)
    return True


def _put(backup: Path, folder: Path) -> None:
    make_private_folder(folder)
    with alone_in(folder):
        if _files(folder):
            raise OSError(f"there is a gallery in {folder} since a moment: restore again")
        part = folder / RESTORED_PART
        if part.exists():  # of a restore that was interrupted
            erase(part)
        try:
            copy_backup(backup / _FILE, part)
            (folder / _LOCK).unlink(missing_ok=True)
            part.rename(folder / _FILE)
        except BaseException:
            with suppress(OSError):
                erase(part)
            raise
        for one in (folder, folder.parent):
            sync_path(one)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [file_of(folder, number) for number in generations(folder)]


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
