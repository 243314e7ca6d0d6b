"""Reads the galleries' storage beside the servers that use it, and writes nothing to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.generations import begin_read
from facewire_server.backends.lmdb_storage.reading import reading_current
from facewire_server.backends.lmdb_storage.tables import Transaction, require_tables
from facewire_server.backends.lmdb_storage.vendor_errors import our_errors
from facewire_server.errors import StorageDamaged

__all__ = ["reading_galleries"]


@contextmanager
def reading_galleries(folder: Path) -> Iterator[Transaction]:
    """Yields a read transaction on the file in use, which may be of an earlier format and lack tables.

    As long as it is open LMDB reuses no page, and the file is not erased. A damaged file may end the process (`storage_check`).

    Raises:
        StorageDamaged: it cannot be read.
        StorageBusy, OSError: nothing is known about it.
    """
    table_count = len(GALLERY_STORAGE.all_tables)
    with (
        our_errors(),
        reading_current(folder, GALLERY_STORAGE.name, table_count) as (file, environment),
        begin_read(environment) as txn,
    ):
        names = {bytes(name).decode() for name, _ in txn.cursor()}
        tables = {name: environment.open_db(name.encode(), txn=txn, create=False) for name in names}
        transaction = Transaction(txn, tables)
        found = transaction.table("meta").get(b"format") if "meta" in names else None
        if found == GALLERY_STORAGE.format:
            require_tables(GALLERY_STORAGE, str(file), txn)
        elif found is None and environment.info()["last_txnid"]:
            raise StorageDamaged(f"{file} is damaged: its tables are missing")
        yield transaction
