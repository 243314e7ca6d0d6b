"""Copies a storage in a process of its own: a copy that takes long keeps no thread of a server from moving the map."""

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.generations import open_lmdb
from facewire_server.backends.lmdb_storage.rebuilding import MOST_TABLES, copy_records
from facewire_server.backends.lmdb_storage.vendor_errors import is_of_full_disk
from facewire_server.errors import GalleryFull

__all__ = ["copy_file"]

_MODULE: Final = "facewire_server.backends.lmdb_storage.copy_process"
"""This one, which is what the process runs."""


def copy_file(
    file: Path, part: Path, map_bytes: int, lock: int, at_step: Callable[[str], None]
) -> None:
    """Writes the records to a new file, which is on the disk then.

    Args:
        file: of the generation in use.
        part: the new file.
        map_bytes: size of the map of `file`.
        lock: a locked file, which the process inherits: if this one is killed, it is free when the copy has ended.
        at_step: takes "copying" when the process was started.

    Raises:
        GalleryFull: the disk has no room.
        OSError: the copy failed.
    """
    with subprocess.Popen(
        [sys.executable, "-m", _MODULE, str(file), str(part), str(map_bytes)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(lock,),
    ) as child:
        try:
            at_step("copying")
            _, said = child.communicate()
        except BaseException:
            child.kill()
            raise
    if child.returncode == errno.ENOSPC:
        raise GalleryFull("the disk has no room for a second copy of the storage")
    if child.returncode:
        reason = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise OSError(f"the storage could not be copied: {reason or child.returncode}")


if __name__ == "__main__":
    source, copy = map(Path, sys.argv[1:3])
    try:
        with open_lmdb(
            source, readonly=True, map_size=int(sys.argv[3]), max_dbs=MOST_TABLES
        ) as opened:
            copy_records(opened, copy)
    except (lmdb.Error, OSError) as error:
        if is_of_full_disk(error, copy.parent):
            sys.exit(errno.ENOSPC)
        raise
