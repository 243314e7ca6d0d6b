"""Copies the records of a storage into a new file, in the order of their keys, so that nothing else is in a page of it.

LMDB's own copy (`mdb_env_copy`, also compacted) keeps the pages above the leaves as they are: their keys are those of records that
were first in a page once, and stay when the record is deleted.
"""

import os
from itertools import islice
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.generations import begin_read
from facewire_server.backends.lmdb_storage.tables import CHANGED
from facewire_server.host.private_files import open_private

__all__ = ["MOST_TABLES", "copy_records"]

MOST_TABLES: Final = 64
"""Tables that a storage may have. Chosen, not measured: more than any has."""

_BATCH_BYTES: Final = 32 << 20
"""Bytes that are copied in one transaction, which holds them in memory. Chosen, not measured."""

_ROOM_BYTES: Final = 64 << 20
"""Bytes by which the map of the copy is larger: pages that a transaction replaces. Chosen, not measured."""


def copy_records(source: lmdb.Environment, into: Path) -> None:
    """Copies the storage as it is at one moment; it is on the disk then. What a switch has noted is not copied.

    Args:
        source: opened for `MOST_TABLES` databases; other processes may write to it.
        into: the file, which does not exist or is empty.

    Raises:
        lmdb.Error: the storage is damaged, or the disk is full.
    """
    map_bytes = source.info()["map_size"] + _ROOM_BYTES
    os.close(open_private(into))
    with (
        begin_read(source) as reading,
        # No other process knows the file, so it needs no lock.
        lmdb.open(
            str(into),
            subdir=False,
            lock=False,
            mode=0o600,
            sync=False,
            metasync=False,
            map_size=map_bytes,
            max_dbs=MOST_TABLES,
        ) as target,
    ):
        with reading.cursor() as names:
            tables = [bytes(name) for name in names.iternext(keys=True, values=False)]
        for name in tables:
            table = source.open_db(name, txn=reading, create=False)
            copied = target.open_db(name)
            if name != CHANGED.encode():
                _copy_table(reading, table, target, copied)
        target.sync(True)


def _copy_table(
    reading: "lmdb.Transaction[memoryview]",
    table: "lmdb._Database",
    target: lmdb.Environment,
    copied: "lmdb._Database",
) -> None:
    stat = reading.stat(table)
    pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
    at_once = max(1, _BATCH_BYTES * stat["entries"] // max(1, pages * stat["psize"]))
    with reading.cursor(table) as cursor:
        records = cursor.iternext()
        consumed = at_once
        while consumed == at_once:
            with target.begin(write=True) as writing, writing.cursor(copied) as put:
                consumed, _ = put.putmulti(islice(records, at_once), append=True)
