"""A copy holds the keys of the tables and nothing else, whatever LMDB's trees keep of deleted ones."""

import random
from pathlib import Path

import lmdb
import pytest

from facewire_server.backends.lmdb_storage import refilling
from facewire_server.backends.lmdb_storage.refilling import refill


def filled(folder: Path) -> tuple[lmdb.Environment, list[bytes], list[bytes]]:
    """Returns a storage with two tables, its keys, and those that were deleted: so many that branch pages hold some."""
    environment = lmdb.open(str(folder), map_size=64 << 20, max_dbs=4, sync=False)
    chance = random.Random(1)
    keys = [b"default\0" + chance.randbytes(16).hex().encode() for _ in range(3000)]
    for name in (b"identities", b"templates"):
        table = environment.open_db(name)
        with environment.begin(write=True, db=table) as txn:
            for key in keys:
                txn.put(key, key[::-1])
    deleted = [key for number, key in enumerate(keys) if number % 10]
    for name in (b"identities", b"templates"):
        table = environment.open_db(name)
        for key in deleted:
            with environment.begin(write=True, db=table) as txn:
                txn.delete(key)
    return environment, keys, deleted


def held(environment: lmdb.Environment) -> dict[bytes, dict[bytes, bytes]]:
    with environment.begin() as txn:
        names = [bytes(name) for name, _ in txn.cursor()]
        return {
            name: dict(txn.cursor(environment.open_db(name, txn=txn, create=False)))
            for name in names
        }


def test_no_key_of_a_deleted_person_is_in_the_copy(tmp_path: Path) -> None:
    environment, keys, deleted = filled(tmp_path)
    part = tmp_path / "part"
    part.touch()
    with environment:
        refill(environment, part, 64 << 20)
        expected = held(environment)
        compacted = tmp_path / "compacted"
        with compacted.open("wb") as file:
            environment.copyfd(file.fileno(), compact=True)
    data = part.read_bytes()
    assert not [key for key in deleted if key in data]
    assert [key for key in deleted if key in compacted.read_bytes()], "else the test shows nothing"
    with lmdb.open(str(part), subdir=False, lock=False, max_dbs=4, readonly=True) as copy:
        assert held(copy) == expected
    assert len(expected[b"identities"]) == len(keys) - len(deleted)


def test_a_table_of_several_transactions_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refilling, "_BATCH", 7)
    environment, _, _ = filled(tmp_path)
    part = tmp_path / "part"
    part.touch()
    with environment:
        refill(environment, part, 64 << 20)
        expected = held(environment)
    with lmdb.open(str(part), subdir=False, lock=False, max_dbs=4, readonly=True) as copy:
        assert held(copy) == expected
