"""Opens the generation in use of a storage to read it, in a process that does not serve it."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.data_file import DataFile, FileGone
from facewire_server.backends.lmdb_storage.generations import (
    file_of,
    generations,
    is_moved,
    open_lmdb,
)
from facewire_server.errors import StorageDamaged

__all__ = ["reading_current"]

_LOOKS: Final = 50
"""Looks for the generation in use, between which another process may switch. Chosen, not measured."""

_LOOK_S: Final = 0.02
"""Seconds between two of them. Chosen, not measured."""


@contextmanager
def reading_current(
    folder: Path, storage: str, max_dbs: int = 1
) -> Iterator[tuple[Path, lmdb.Environment]]:
    """Yields the file in use and LMDB's environment over it; the file is not erased during the block.

    A switch may replace it meanwhile (`is_moved`). LMDB's errors are not ours yet, and a damaged file may end the process.

    Args:
        folder: of the storage.
        storage: its name, for the texts of errors.
        max_dbs: tables that the block opens, "meta" among them.

    Raises:
        StorageDamaged: a file is empty, cut short or damaged, or the one in use is missing.
        OSError: a file cannot be read.
    """
    for _ in range(_LOOKS):
        for number in generations(folder):
            path = file_of(folder, number)
            try:
                file = DataFile(path, storage)
            except (FileGone, FileNotFoundError):  # a later generation has taken its place
                continue
            with (
                closing(file),
                open_lmdb(path, readonly=True, max_dbs=max_dbs) as environment,
            ):
                if not is_moved(environment):
                    yield path, environment
                    return
        time.sleep(_LOOK_S)
    raise StorageDamaged(
        f"{storage} is damaged: the file in use is missing in {folder}; restore it from a backup"
    )
