"""Overwrites a file with zeros: all that was ever written to it, on the disk.

A hole, which was never written, stays one: it holds nothing, and a full disk has no room for it.
"""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

__all__ = ["overwrite"]

_CHUNK_BYTES: Final = 1 << 20
"""Bytes that are overwritten at a time. Chosen, not measured."""


def overwrite(path: Path, begun: Callable[[], None] = lambda: None) -> None:
    """Overwrites a file; returns when the zeros are on the disk.

    Args:
        path: of the file, which the caller removes then.
        begun: called after each part that is overwritten.

    Raises:
        FileNotFoundError: there is no file.
        OSError: something of it may be left, and it is to be overwritten again as a whole; or it is a symbolic link.
    """
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        zeros = memoryview(bytes(_CHUNK_BYTES))
        for start, end in _written(file):
            while start < end:
                start += os.pwrite(file, zeros[: end - start], start)  # it may write less
                begun()
        os.fsync(file)
    finally:
        os.close(file)


def _written(file: int) -> Iterator[tuple[int, int]]:
    """Yields begin and end of each part that is no hole (lseek(2), SEEK_DATA)."""
    end, size = 0, os.fstat(file).st_size
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
            end = os.lseek(file, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:  # no more data
                return
            if error.errno != errno.EINVAL:
                raise
            start, end = end, size  # the file system does not tell its holes
        yield start, end
