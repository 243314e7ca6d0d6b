"""Waiting for the disk."""

import os
from pathlib import Path

__all__ = ["sync_path"]


def sync_path(path: Path) -> None:
    """Returns when the content of a file, or the names in a folder, are on disk (POSIX, fsync); raises OSError if they cannot be."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
