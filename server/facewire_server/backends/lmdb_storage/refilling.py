"""Copies a file of LMDB key by key into an empty one, so that nothing is in the copy but what the tables hold."""

import errno
import sys
from itertools import islice
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.generations import open_lmdb

__all__ = ["refill"]

_MOST_TABLES: Final = 64
"""Tables of a storage at most; LMDB takes 100 bytes for each. Chosen, not measured: the gallery has a dozen."""

_BATCH: Final = 256
"""Keys of one transaction: 128 MiB of the largest values, blocks of vectors. Chosen, not measured."""


def refill(source: lmdb.Environment, part: Path, map_bytes: int) -> None:
    """Writes all tables of `source`, as one read transaction sees them, into an empty file.

    LMDB's own compacting copy takes over the branch pages of its trees, whose separators are keys as they were when a page was
    split: the id of a deleted person stands there for as long as its neighbors fill these pages. Here all pages are made
    of the keys that are there, in their order.

    Args:
        source: opened for reading.
        part: the empty file; it is not synced.
        map_bytes: of the source's map. The copy's is an eighth larger, since its pages may hold less than full ones.

    Raises:
        lmdb.Error: the disk is full, or the file cannot be written.
    """
    with source.begin(buffers=True) as present:
        names = [bytes(name) for name, _ in present.cursor()]
        with lmdb.open(
            str(part),
            subdir=False,
            lock=False,
            sync=False,
            map_size=map_bytes + map_bytes // 8,
            max_dbs=len(names),
        ) as copy:
            for name in names:
                with present.cursor(source.open_db(name, txn=present, create=False)) as held:
                    _append(copy, name, held)


def _append(copy: lmdb.Environment, name: bytes, held: "lmdb.Cursor[memoryview]") -> None:
    """Writes a table in transactions that hold a bounded part of it in memory."""
    table = copy.open_db(name)
    entries = iter(held)
    while batch := list(islice(entries, _BATCH)):
        with copy.begin(write=True) as txn, txn.cursor(table) as into:
            into.putmulti(batch, append=True)


if __name__ == "__main__":
    try:
        with open_lmdb(
            Path(sys.argv[1]), readonly=True, map_size=int(sys.argv[3]), max_dbs=_MOST_TABLES
        ) as copied:
            refill(copied, Path(sys.argv[2]), int(sys.argv[3]))
    except lmdb.Error as error:
        if getattr(error, "code", None) == errno.ENOSPC:
            sys.exit(errno.ENOSPC)
        raise
