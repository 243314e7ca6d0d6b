"""LMDB's errors, and those of records that cannot be parsed, as ours."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lmdb
from google.protobuf.message import DecodeError

from facewire_server.errors import GalleryDamaged, GalleryFull, StorageBusy

__all__ = ["damaged", "is_of_full_disk", "our_errors"]

_GALLERY: Final = "the gallery's storage"

_FULL_DISK_BYTES: Final = 64 << 20
"""Free bytes below which a failed write is attributed to a full disk. Chosen, not measured."""

_DAMAGE = (
    lmdb.CorruptedError,
    lmdb.InvalidError,
    lmdb.PageNotFoundError,
    lmdb.PageFullError,
    lmdb.CursorFullError,
    lmdb.PanicError,
    lmdb.BadTxnError,  # follows on one of the others in a transaction that goes on
    lmdb.BadDbiError,
    lmdb.IncompatibleError,
    SystemError,  # py-lmdb's C code, of a page that makes no sense
    # What a transaction parses, storage has kept: a client's bytes were parsed before.
    DecodeError,
    UnicodeDecodeError,
)


def damaged(what: str, storage: str = _GALLERY) -> GalleryDamaged:
    """Returns the error of a storage that holds something that cannot be.

    Args:
        what: a general name of it; the text goes to clients.
        storage: its name.
    """
    return GalleryDamaged(f"{storage} is damaged: {what}; its operator must restore it")


def is_of_full_disk(error: lmdb.Error, folder: Path) -> bool:
    """Whether a write failed because the disk of a folder is full."""
    if isinstance(error, lmdb.DiskError):
        return True
    # LMDB reports a write that was cut short as an input/output error, whatever the reason.
    if error.code != errno.EIO:
        return False
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < _FULL_DISK_BYTES


@contextmanager
def our_errors(storage: str = _GALLERY) -> Iterator[None]:
    """Raises GalleryFull, StorageBusy, GalleryDamaged or OSError for an error of storage in the block."""
    try:
        yield
    except (lmdb.MapFullError, lmdb.DiskError) as error:
        raise GalleryFull(f"{storage} is full; nothing was written") from error
    except lmdb.ReadersFullError as error:
        raise StorageBusy(f"too many readers of {storage} at once") from error
    except _DAMAGE as error:
        raise damaged(type(error).__name__, storage) from error
    except lmdb.Error as error:
        raise OSError(f"{storage} failed: {error}") from error
