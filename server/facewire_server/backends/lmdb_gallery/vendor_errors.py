"""LMDB's errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import lmdb

from facewire_server.errors import GalleryFull, StorageBusy

__all__ = ["our_errors"]


@contextmanager
def our_errors() -> Iterator[None]:
    """Raises GalleryFull, StorageBusy or OSError for an error of LMDB in the block."""
    try:
        yield
    except (lmdb.MapFullError, lmdb.DiskError) as error:
        raise GalleryFull("the gallery's storage is full; nothing was written") from error
    except lmdb.ReadersFullError as error:
        raise StorageBusy("too many readers of the gallery at once") from error
    except lmdb.Error as error:
        raise OSError(f"the gallery's storage failed: {error}") from error
