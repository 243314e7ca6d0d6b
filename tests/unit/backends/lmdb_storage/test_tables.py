"""A storage that lacks one of its tables is damaged: it is not made anew, as if nothing had ever been in it."""

from pathlib import Path

import lmdb
import pytest

from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.storage_check import damaged_galleries
from facewire_server.backends.lmdb_journal.journal_tables import JOURNAL_STORAGE
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Storage
from facewire_server.errors import StorageDamaged

MIB = 1 << 20


def opened(folder: Path, storage: Storage) -> Environment:
    return Environment(folder, storage, map_bytes=MIB, max_bytes=MIB)


def tables(folder: Path) -> set[str]:
    with lmdb.open(str(folder), readonly=True) as raw, raw.begin() as transaction:
        return {bytes(name).decode() for name, _ in transaction.cursor()}


def drop(folder: Path, table: str) -> None:
    with lmdb.open(str(folder), max_dbs=20) as raw, raw.begin(write=True) as transaction:
        transaction.drop(raw.open_db(table.encode(), txn=transaction))


@pytest.mark.parametrize(
    ("storage", "table"),
    [(each, table) for each in (GALLERY_STORAGE, JOURNAL_STORAGE) for table in each.all_tables],
)
def test_a_storage_without_one_of_its_tables_is_damaged(
    tmp_path: Path, storage: Storage, table: str
) -> None:
    opened(tmp_path, storage).close()
    assert tables(tmp_path) == set(storage.all_tables)
    drop(tmp_path, table)
    text = "its tables are missing" if table == "meta" else f"it lacks the table {table}"
    for _ in range(2):
        with pytest.raises(StorageDamaged, match=f"is damaged: {text}"):
            opened(tmp_path, storage)
        assert tables(tmp_path) == set(storage.all_tables) - {table}


@pytest.mark.parametrize("table", ["meta", "blocks", "galleries"])
def test_the_check_of_the_galleries_says_which_table_is_missing(tmp_path: Path, table: str) -> None:
    opened(tmp_path, GALLERY_STORAGE).close()
    assert damaged_galleries(tmp_path) == ()
    drop(tmp_path, table)
    text = "its tables are missing" if table == "meta" else f"it lacks the table {table}"
    with pytest.raises(StorageDamaged, match=text):
        damaged_galleries(tmp_path)
