"""LMDB's table of readers: its room on the disk is taken before LMDB maps it."""

import os
from pathlib import Path
from typing import Final

from facewire_server.host.private_files import open_private

__all__ = ["MAX_READERS", "make_lock_file"]

MAX_READERS: Final = 1024
"""Read transactions of all processes at once. Chosen, not measured."""

_INFO_BYTES: Final = 128
"""Bytes of the file before its slots: `MDB_txninfo` of LMDB 0.9, without the slot in it."""

_SLOT_BYTES: Final = 64
"""`MDB_reader` of LMDB 0.9 takes a line of the processor's cache."""

_BLOCK_BYTES: Final = 512
"""Bytes of a block in `st_blocks` (stat(2))."""


def make_lock_file(path: Path) -> None:
    """Makes the file, `lock_of` a storage's file, or takes the room on disk that the one that is there lacks.

    LMDB makes it without room of its own and writes to it through a map: where a full disk has no room for a page of it, that
    ends the process by SIGBUS, which looks as if the storage were damaged.

    Raises:
        OSError: the disk is full, or the file cannot be made.
    """
    needed = _INFO_BYTES + _SLOT_BYTES * MAX_READERS
    # If this process has the storage open, closing the file here would release LMDB's lock on it (POSIX, fcntl); then it has its room.
    if path.exists() and path.stat().st_blocks * _BLOCK_BYTES >= needed:
        return
    file = open_private(path)
    try:
        os.posix_fallocate(file, 0, needed)
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error
    finally:
        os.close(file)
