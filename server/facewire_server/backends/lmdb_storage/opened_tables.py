"""The tables of a storage's file, opened: of a new one they are made, of an earlier format upgraded, of any other they must be there."""

from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.generations import META
from facewire_server.backends.lmdb_storage.tables import Storage, Transaction, require_tables
from facewire_server.errors import StorageDamaged

__all__ = ["OutdatedStorage", "UnusableStorage", "adopted_tables", "opened_tables"]

_FIRST_TRANSACTION: Final = 1
"""Of a file of `make_file`: it makes all tables."""


class UnusableStorage(OSError):
    """What lies in the folder is damaged, or of another version."""


class OutdatedStorage(UnusableStorage):
    """An earlier version made it, and this one can upgrade it while no other process uses it."""


def opened_tables(
    environment: lmdb.Environment,
    storage: Storage,
    transaction: Transaction,
    *,
    is_alone: bool = False,
) -> "dict[str, lmdb._Database]":
    """Opens the tables of a storage, makes those of a new one, and upgrades what they hold.

    Args:
        environment: of its file.
        storage: which.
        transaction: a write transaction.
        is_alone: no other process uses the storage, so that it may be upgraded: an earlier version would go on
            writing what it knows.

    Returns:
        The databases of the tables, by name, which are open once the transaction is committed.

    Raises:
        OutdatedStorage: it must be upgraded, and `is_alone` is not set.
        UnusableStorage: another version made it, from which this one knows no way.
        StorageDamaged: it has been written to, and does not have what its first transaction wrote.
    """
    found = _format(environment, transaction)
    if found == storage.format:
        # One that is missing would be made, and look as if nothing had ever been in it.
        require_tables(storage, environment.path(), transaction.txn)
    elif found is not None and found not in storage.upgrades:
        raise UnusableStorage(_other_version(storage, found))
    elif found is not None and not is_alone:
        raise OutdatedStorage(
            f"{storage.name} must be upgraded, and a server of an earlier version uses it: stop that server"
        )
    # Without a transaction, open_db would begin one for each table.
    databases = {
        name: environment.open_db(name.encode(), txn=transaction.txn) for name in storage.all_tables
    }
    if found != storage.format:
        opened = Transaction(transaction.txn, databases)
        if found is not None:
            storage.upgrades[found](opened)
        opened.table(META).put(b"format", storage.format)
    return databases


def adopted_tables(
    environment: lmdb.Environment, storage: Storage, txn: "lmdb.Transaction[memoryview]"
) -> "dict[str, lmdb._Database]":
    """Opens the tables of a file that a switch has made.

    Raises:
        UnusableStorage: another version has switched to it.
        StorageDamaged: it lacks a table.
    """
    found = _format(environment, Transaction(txn, {}))
    if found != storage.format:
        raise UnusableStorage(_other_version(storage, found or b"none"))
    require_tables(storage, environment.path(), txn)
    return {
        name: environment.open_db(name.encode(), txn=txn, create=False)
        for name in storage.all_tables
    }


def _format(environment: lmdb.Environment, transaction: Transaction) -> bytes | None:
    """Returns the format that a storage states; None: it is new. Raises StorageDamaged if it states none and is not."""
    try:
        meta = environment.open_db(META.encode(), txn=transaction.txn, create=False)
        found = transaction.txn.get(b"format", db=meta)
    except lmdb.NotFoundError:
        found = None
    if found is not None:
        return bytes(found)
    if transaction.txn.id() > _FIRST_TRANSACTION:
        # Else a root that leads elsewhere would look like a storage in which no one was ever enrolled.
        raise StorageDamaged(
            f"{environment.path()} is damaged: its tables are missing; restore it from a backup"
        )
    return None


def _other_version(storage: Storage, found: bytes) -> str:
    ours = storage.format.decode()
    text = f"{storage.name} was made by another version of the server"
    if found.isdigit() and int(found) > int(ours):
        return (
            f"{text}: it has format {found.decode()}, and this server reads formats up to {ours}; "
            "start the newer server, or restore a backup that this version made"
        )
    return text
