"""A backup of all galleries: one file and a manifest with its checksum, made while servers run."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.storage_check import damaged_galleries
from facewire_server.backends.lmdb_storage.copying import copy_storage
from facewire_server.backends.lmdb_storage.generations import file_of, generations
from facewire_server.backends.lmdb_storage.growth import Progress, unshown
from facewire_server.backends.lmdb_storage.sizes import note_backup
from facewire_server.errors import StorageDamaged
from facewire_server.host.disk import sync_path
from facewire_server.host.private_files import make_private_folder, open_private

__all__ = ["MANIFEST", "back_up", "storage_files", "verify"]

_FILE: Final = "data.mdb"
"""The storage in its folder, and in a backup."""

_LOCK: Final = "lock.mdb"
"""LMDB's table of readers, which whoever opens the storage makes."""

MANIFEST: Final = "manifest.json"
"""What a backup says of itself."""


def back_up(folder: Path, into: Path, progress: Progress, *, is_replacing: bool = False) -> None:
    """Copies the storage as it is at one moment, compacted; readers and writers of other processes go on.

    Args:
        folder: of the storage.
        into: folder of the backup, which appears when it is whole.
        progress: takes the share that is done of the copy, then of its check.
        is_replacing: in the place of an earlier backup, which goes when this one is whole.

    Raises:
        StorageDamaged: the storage or a gallery in it is damaged; no backup was made.
        OSError: there is no storage, `into` exists and is not to be replaced, or the disk is full; or `into` is whole, and may be gone after a power cut.
    """
    if not storage_files(folder):
        raise OSError(f"there is no gallery in {folder}: name the data folder of the server")
    if into.exists() and not is_replacing:
        raise OSError(f"{into} exists: name a folder that does not")
    part = into.with_name(f"{into.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a backup that was interrupted
    make_private_folder(part)
    try:
        copy_storage(folder, GALLERY_STORAGE.name, part, progress)
        damaged = damaged_galleries(part, progress=progress)
        if damaged:
            raise StorageDamaged(
                f"damaged galleries: {', '.join(damaged)}; no backup was made: restore an earlier one"
            )
        (part / _LOCK).unlink(missing_ok=True)
        _write_manifest(part)
        if into.exists():
            shutil.rmtree(into)
        part.rename(into)
        sync_path(into.parent)
        note_backup(folder)
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
    with open(open_private(part / MANIFEST), "w", encoding="utf-8") as opened:
        opened.write(json.dumps(manifest, indent=2) + "\n")
    for path in (part / _FILE, part / MANIFEST, part):
        sync_path(path)


def verify(
    folder: Path, crop_keys: CropKeys | None = None, *, progress: Progress = unshown
) -> None:
    """Reads all of a backup, or of a storage, and compares it with what it says of itself.

    Args:
        folder: of either.
        crop_keys: with them the kept crops are decrypted, too.
        progress: takes the share that is done.

    Raises:
        StorageDamaged: something is not what was written; the text says what.
        OSError: there is nothing to read.
    """
    if not storage_files(folder):
        raise OSError(f"there is no gallery in {folder}")
    if (folder / MANIFEST).exists():
        _compare(folder)
    damaged = damaged_galleries(folder, crop_keys, progress=progress)
    if (folder / MANIFEST).exists():
        (folder / _LOCK).unlink(missing_ok=True)  # nothing writes to a backup
    if damaged:
        raise StorageDamaged(f"damaged galleries in {folder}: {', '.join(damaged)}")


def _compare(backup: Path) -> None:
    try:
        stated = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise StorageDamaged(
            f"{backup / MANIFEST} is not a manifest: take another backup"
        ) from error
    if _digest(backup / _FILE) != stated:
        raise StorageDamaged(
            f"{backup / _FILE} is not what was written: its sha256 is another one; take another backup"
        )


def storage_files(folder: Path) -> list[Path]:
    """Returns the files of a storage in a folder, oldest generation first."""
    if not folder.is_dir():
        return []
    return [file_of(folder, number) for number in generations(folder)]


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
