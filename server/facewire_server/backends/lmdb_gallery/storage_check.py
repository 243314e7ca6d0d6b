"""Has the galleries' storage read before it is used: one that cannot be is refused, a gallery in which something cannot be is named."""

import json
from pathlib import Path
from typing import Final

from facewire_server.backends.lmdb_storage.storage_check import checked_by

__all__ = ["damaged_galleries"]

_CHECK: Final = "facewire_server.backends.lmdb_gallery.soundness"
"""The module that is run."""


def damaged_galleries(folder: Path) -> tuple[str, ...]:
    """Returns the ids of the galleries in the storage in which something cannot be; blocks.

    Raises:
        OSError: the storage as a whole cannot be read.
    """
    file = folder / "data.mdb"
    if not file.exists():
        return ()
    if not file.stat().st_size:
        # LMDB would make an empty storage of it, and everyone in it would be gone without a word.
        raise OSError(f"{file} is empty: restore it, or delete it if there never was a gallery")
    try:
        return tuple(json.loads(checked_by(_CHECK, folder)))
    except OSError as error:
        raise OSError(f"{file} is damaged and must be restored from a backup: {error}") from error
