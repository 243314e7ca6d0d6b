"""LMDB's errors, and those of records that cannot be parsed, as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import lmdb
from google.protobuf.message import DecodeError

from facewire_server.errors import GalleryDamaged, GalleryFull, StorageBusy

__all__ = ["damaged", "our_errors"]

_GALLERY: Final = "the gallery's storage"

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
