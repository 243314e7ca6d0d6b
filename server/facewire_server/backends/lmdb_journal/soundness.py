"""Reads everything that a journal's storage holds; run by `lmdb_storage.storage_check` in a process of its own."""

import sys
from pathlib import Path

import lmdb

from facewire_server.backends.lmdb_journal.event_records import kept_of
from facewire_server.backends.lmdb_journal.journal_tables import JOURNAL_STORAGE
from facewire_server.backends.lmdb_journal.numbers import numbers_of
from facewire_server.backends.lmdb_journal.records_pb2 import Crop, Event, OpenTrack, Stream
from facewire_server.backends.lmdb_storage.generations import begin_read
from facewire_server.backends.lmdb_storage.storage_check import reporting
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.vendor_errors import our_errors

__all__ = ["read_all"]


def read_all(folder: str) -> None:
    """Reads all tables, and parses every record.

    Raises:
        GalleryDamaged, OSError, ValueError: the storage cannot be read, or holds something that cannot be.
    """
    names = JOURNAL_STORAGE.all_tables
    if (
        not (Path(folder) / "data.mdb").stat().st_size
    ):  # LMDB says of it that it has a bad descriptor
        raise ValueError("it is empty")
    with (
        our_errors(JOURNAL_STORAGE.name),
        lmdb.open(folder, readonly=True, max_dbs=len(names)) as environment,
        begin_read(environment) as txn,
    ):
        tables = {name: environment.open_db(name.encode(), txn=txn, create=False) for name in names}
        transaction = Transaction(txn, tables)
        for key, value in transaction.table("events").scan():
            (event_id,) = numbers_of(key)
            kept_of(event_id, Event.FromString(value))
        for name, kind in (("streams", Stream), ("open_tracks", OpenTrack), ("crops", Crop)):
            for _, value in transaction.table(name).scan():
                kind.FromString(value)
        for name in ("meta", "track_events", "people"):
            for _ in transaction.table(name).scan():
                pass


if __name__ == "__main__":
    with reporting():
        read_all(sys.argv[1])
