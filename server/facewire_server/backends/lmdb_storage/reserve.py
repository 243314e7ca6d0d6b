"""Disk space that is held back, and given up when a deletion finds none: a full disk must not keep anyone in a gallery."""

import contextlib
import os
from pathlib import Path
from typing import Final

from facewire_server.host.private_files import open_private

__all__ = ["DeletionReserve"]

_NAME: Final = "reserve"
"""The file of zeros in the storage's folder."""


class DeletionReserve:
    """A file that takes room. All processes of a folder share it; whoever finds the disk full empties it."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        """Makes the file, if the disk has room.

        Args:
            folder: of the storage.
            size_bytes: of the file; 0 = none.
        """
        self._path = folder / _NAME
        self._size_bytes = size_bytes
        self.make()

    def make(self) -> None:
        """Makes the file if it is not there; a disk without room for it is no failure."""
        if not self._size_bytes or self._length() >= self._size_bytes:
            return
        with contextlib.suppress(OSError):
            file = open_private(self._path)
            try:
                os.posix_fallocate(file, 0, self._size_bytes)
            except OSError:
                os.ftruncate(file, 0)  # what it took of the rest is others'
            finally:
                os.close(file)

    def give_up(self) -> bool:
        """Returns the room to the disk; False if there is none to return."""
        if not self._length():
            return False
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.ftruncate(file, 0)
            finally:
                os.close(file)
        except OSError:  # the disk takes no change at all
            return False
        return True

    def _length(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0
