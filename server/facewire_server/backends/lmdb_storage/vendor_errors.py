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

__all__ = [
    "damaged",
    "disk_errors",
    "is_of_full_disk",
    "is_of_read_only_disk",
    "our_errors",
    "read_only",
]

_GALLERY: Final = "the gallery's storage"

_FULL_DISK_BYTES: Final = 64 << 20
"""Free bytes below which a failed write is attributed to a full disk. Chosen, not measured."""

_PROBE_BYTES: Final = 1 << 20
"""Bytes of a file without a name that is made to see whether there is room. Chosen, not measured."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk is full, the user's or project's quota of it is, or a file may not become larger (POSIX)."""

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


def is_of_full_disk(error: lmdb.Error | OSError, folder: Path) -> bool:
    """Whether a write failed because the disk of a folder is full, or the user's part of it."""
    code = error.code if isinstance(error, lmdb.Error) else error.errno
    if code in _FULL or isinstance(error, lmdb.DiskError):
        return True
    # LMDB reports a write that was cut short as an input/output error, whatever the reason.
    if not (isinstance(error, lmdb.Error) and code == errno.EIO):
        return False
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < _FULL_DISK_BYTES or _has_no_room(folder)


def is_of_read_only_disk(error: lmdb.Error | OSError) -> bool:
    """Whether a write failed because the disk takes none."""
    return (error.code if isinstance(error, lmdb.Error) else error.errno) == errno.EROFS


def _has_no_room(folder: Path) -> bool:
    """Whether the disk, or a quota that statvfs(3) does not show, takes no further file."""
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, _PROBE_BYTES)
        finally:
            os.close(file)
    except OSError as error:
        return error.errno in _FULL
    return False


@contextmanager
def disk_errors(storage: str, folder: Path) -> Iterator[None]:
    """Raises GalleryFull or StorageBusy for an OSError of a full or a read-only disk in the block, which makes a second copy."""
    try:
        yield
    except OSError as error:
        if is_of_read_only_disk(error):
            raise read_only(storage) from error
        if is_of_full_disk(error, folder):
            raise GalleryFull("the disk has no room for a second copy of the storage") from error
        raise


def read_only(storage: str) -> StorageBusy:
    """Returns the error of a change on a disk that takes none."""
    return StorageBusy(
        f"the disk of {storage} is read-only: its operator must make it writable; nothing was written"
    )


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
