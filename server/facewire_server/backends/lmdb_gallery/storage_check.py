"""Has the galleries' storage read before it is used: one that cannot be is refused, a gallery in which something cannot be is named."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.data_file import DataFile, FileGone
from facewire_server.backends.lmdb_storage.generations import file_of, generations
from facewire_server.backends.lmdb_storage.growth import Progress, unshown
from facewire_server.backends.lmdb_storage.storage_check import NotChecked, checked_by
from facewire_server.errors import StorageDamaged

__all__ = ["damaged_galleries"]

_CHECK: Final = "facewire_server.backends.lmdb_gallery.soundness"
"""The module that is run."""


def damaged_galleries(
    folder: Path, crop_keys: CropKeys | None = None, *, progress: Progress = unshown
) -> tuple[str, ...]:
    """Returns the ids of the galleries in the storage in which something cannot be; blocks.

    With keys, each kept crop is decrypted and decoded, which takes 0.8 ms of a processor. `progress` takes the share that is done.

    Raises:
        StorageDamaged: the storage as a whole cannot be read.
        OSError: its file cannot be opened, or nothing is known about it, since the check was ended or had no room on the disk.
    """
    files = [file_of(folder, number) for number in generations(folder)] if folder.exists() else []
    if not files:
        return ()
    for file in files:
        # One that is gone meanwhile was replaced.
        with suppress(FileGone, FileNotFoundError):
            DataFile(file, GALLERY_STORAGE.name).close()
    text = "" if crop_keys is None else crop_keys.format()
    try:
        return tuple(json.loads(checked_by(_CHECK, folder, text, progress)))
    except NotChecked:
        raise
    except OSError as error:
        raise StorageDamaged(
            f"{files[-1]} is damaged: {error}; restore it from a backup"
        ) from error
