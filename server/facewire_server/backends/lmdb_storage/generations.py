"""The files of a storage: one is in use, and a switch puts the next one, its next generation, in its place.

Generation 1 is `data.mdb` with `lock.mdb`, and generation N from 2 on is `data.N.mdb` with `data.N.mdb-lock`: LMDB's table of
readers belongs to one file. The storage is the lowest generation that does not say that it has moved. Files above it are of a
switch that did not come to its end.
"""

import re
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.lock_file import make_lock_file

__all__ = [
    "FIRST",
    "META",
    "MOVED_TO",
    "SWITCHING",
    "begin_read",
    "file_of",
    "generations",
    "is_moved",
    "lock_of",
    "number_of",
    "open_lmdb",
]

FIRST: Final = 1
"""The generation that every storage begins with, which servers without generations know."""

META: Final = "meta"
"""The table of what a storage says of itself."""

MOVED_TO: Final = b"moved_to"
"""Key in `META`, of the number of the generation that holds everything that this one held: the last thing that is written to a file."""

SWITCHING: Final = b"switching"
"""Key in `META` while a switch copies the storage: each write notes what it changes."""

_FIRST_NAME: Final = "data.mdb"
"""The name of the file of a folder, as LMDB chooses it."""

_NAME: Final = re.compile(r"data\.([1-9][0-9]*)\.mdb")
"""Of a later generation."""


def file_of(folder: Path, number: int) -> Path:
    """Returns the file of a generation."""
    return folder / (_FIRST_NAME if number == FIRST else f"data.{number}.mdb")


def lock_of(file: Path) -> Path:
    """Returns LMDB's table of the readers of a file."""
    return file.with_name("lock.mdb" if file.name == _FIRST_NAME else f"{file.name}-lock")


def number_of(name: str) -> int | None:
    """Returns the number of the generation that a file of this name is, or None."""
    if name == _FIRST_NAME:
        return FIRST
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def generations(folder: Path) -> list[int]:
    """Returns the generations of which there are files, in order."""
    numbers = (number_of(path.name) for path in folder.iterdir())
    return sorted(number for number in numbers if number is not None)


def open_lmdb(file: Path, **options: int | bool) -> lmdb.Environment:
    """Opens a generation's file with LMDB, beside the readers and the writer of other processes."""
    make_lock_file(lock_of(file))
    is_first = file.name == _FIRST_NAME
    return lmdb.open(str(file.parent if is_first else file), subdir=is_first, **options)  # type: ignore[arg-type]


def begin_read(environment: lmdb.Environment) -> "lmdb.Transaction[memoryview]":
    """Begins a read transaction, in a larger map if another process has grown it. No other one may be open."""
    while True:
        try:
            return environment.begin(buffers=True)
        except lmdb.MapResizedError:
            environment.set_mapsize(0)


def is_moved(environment: lmdb.Environment) -> bool:
    """Whether a file, opened for at least one named database, says that a later generation has taken its place."""
    with begin_read(environment) as txn:
        try:
            meta = environment.open_db(META.encode(), txn=txn, create=False)
        except lmdb.NotFoundError:  # made by a process that ended at once
            return False
        return txn.get(MOVED_TO, db=meta) is not None
