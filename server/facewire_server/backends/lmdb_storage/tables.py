"""Tables: named databases seen through one transaction, which may be narrowed to the keys with a prefix."""

from collections.abc import Callable, Iterator, Mapping
from struct import pack
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from facewire_server.errors import StorageDamaged

if TYPE_CHECKING:
    import lmdb

__all__ = [
    "CHANGED",
    "Storage",
    "Table",
    "Transaction",
    "changed_key",
    "number_key",
    "require_tables",
]

CHANGED: Final = "changed"
"""The table of what was changed since a switch began to copy the storage: `changed_key` -> nothing."""


class Storage(NamedTuple):
    """What distinguishes one environment from another.

    Attributes:
        name: for the texts of errors, which go to clients.
        tables: names of its databases; "meta" and "changed" are others.
        format: a decimal number, raised when an older server cannot use a file written by this one.
        reserve_bytes: of the disk, held back for deletions.
        upgrades: what turns a file of an earlier format into one of this, in one transaction, by that format.
        is_synced: a write is on the disk when it returns. If not, it survives the process, not a crash of the machine, which
            may damage the storage.
    """

    name: str
    tables: tuple[str, ...]
    format: bytes
    is_synced: bool = True
    reserve_bytes: int = 0
    upgrades: "Mapping[bytes, Callable[[Transaction], None]]" = MappingProxyType({})

    @property
    def all_tables(self) -> tuple[str, ...]:
        """Names of all its databases."""
        return ("meta", CHANGED, *self.tables)


def require_tables(storage: Storage, path: str, txn: "lmdb.Transaction[memoryview]") -> None:
    """Raises StorageDamaged if a file of the present format lacks one of its tables.

    Args:
        storage: which.
        path: of the file, for the text.
        txn: a transaction on it.
    """
    with txn.cursor() as cursor:
        found = {bytes(name) for name in cursor.iternext(keys=True, values=False)}
    missing = [name for name in storage.all_tables if name.encode() not in found]
    if missing:
        raise StorageDamaged(
            f"{path} is damaged: it lacks the table {' and '.join(missing)}; restore it from a backup"
        )


def number_key(*numbers: int) -> bytes:
    """Returns numbers as a key; keys sort as the numbers do."""
    return pack(f">{len(numbers)}Q", *numbers)


def changed_key(table: str, key: bytes) -> bytes:
    """Returns the key in `CHANGED` of a key of a table; names of tables hold no NUL."""
    return table.encode() + b"\0" + key


class Table:
    """The keys of a named database that start with a prefix, without that prefix."""

    __slots__ = ("_changed", "_database", "_name", "_prefix", "_txn")

    def __init__(
        self,
        txn: "lmdb.Transaction[memoryview]",
        database: "lmdb._Database",
        prefix: bytes,
        name: str = "",
        changed: "lmdb._Database | None" = None,
    ) -> None:
        """Takes `changed`, the database that takes the keys that are written under the table's name; None = none does."""
        self._txn = txn
        self._database = database
        self._prefix = prefix
        self._name = name
        self._changed = changed

    def get(self, key: bytes) -> bytes | None:
        """Returns a copy of the value of a key, or None."""
        value = self.view(key)
        return None if value is None else bytes(value)

    def view(self, key: bytes) -> memoryview | None:
        """Returns the value of a key in the map itself, or None.

        It is valid until the transaction ends, in a write transaction until the next write:
        a later read returns other data, or crashes the process.
        """
        return self._txn.get(self._prefix + key, db=self._database)

    def put(self, key: bytes, value: bytes | bytearray) -> None:
        """Sets the value of a key."""
        self._note(self._prefix + key)
        self._txn.put(self._prefix + key, value, db=self._database)

    def delete(self, key: bytes) -> None:
        """Removes a key."""
        self._note(self._prefix + key)
        self._txn.delete(self._prefix + key, db=self._database)

    def _note(self, key: bytes) -> None:
        if self._changed is not None:
            self._txn.put(changed_key(self._name, key), b"", db=self._changed)

    def scan(self, start: bytes = b"", after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yields keys and copies of their values, in order of the keys' bytes; write nothing before the iteration ends.

        Args:
            start: only keys that start with this.
            after: only keys above this; "" = all.
        """
        for cursor in self._positions(start, after):
            yield bytes(cursor.key())[len(self._prefix) :], bytes(cursor.value())

    def keys(self, start: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
        """Yields the keys as `scan` does, and reads no value."""
        for cursor in self._positions(start, after):
            yield bytes(cursor.key())[len(self._prefix) :]

    def _positions(self, start: bytes, after: bytes) -> "Iterator[lmdb.Cursor[memoryview]]":
        start = self._prefix + start
        lowest = max(start, self._prefix + after)
        with self._txn.cursor(db=self._database) as cursor:
            found = cursor.set_range(lowest)
            if found and after and cursor.key() == lowest:
                found = cursor.next()
            while found and bytes(cursor.key()).startswith(start):
                yield cursor
                found = cursor.next()

    def numbered_views(self, count: int) -> Iterator[memoryview | None]:
        """Yields the values of the keys `number_key(0)` to `number_key(count - 1)` in the map itself (see `view`).

        These must be the table's first keys; None in place of the first that is missing ends the iteration.
        """
        with self._txn.cursor(db=self._database) as cursor:
            items = cursor.iternext() if cursor.set_range(self._prefix) else iter(())
            for number in range(count):
                key, value = next(items, (b"", None))
                if key != self._prefix + number.to_bytes(8, "big"):
                    value = None
                yield value
                if value is None:
                    return

    def clear(self) -> None:
        """Removes every key."""
        with self._txn.cursor(db=self._database) as cursor:
            found = cursor.set_range(self._prefix)
            while found and (key := bytes(cursor.key())).startswith(self._prefix):
                self._note(key)
                cursor.delete()
                found = bool(cursor.key())


class Transaction(NamedTuple):
    """A transaction, read or write, with the tables of the environment.

    Attributes:
        txn: LMDB's.
        databases: of the tables, by name.
        is_noting: a switch copies the storage, and what this transaction changes is noted for it.
    """

    txn: "lmdb.Transaction[memoryview]"
    databases: "dict[str, lmdb._Database]"
    is_noting: bool = False

    def table(self, name: str, prefix: bytes = b"") -> Table:
        """Returns a table of the storage, narrowed to the keys that start with a prefix."""
        changed = self.databases[CHANGED] if self.is_noting else None
        return Table(self.txn, self.databases[name], prefix, name, changed)

    def unnoted(self) -> "Transaction":
        """Returns the same transaction for changes that concern this file only, and that no switch is to bring over."""
        return self._replace(is_noting=False)

    def used_bytes(self) -> int:
        """Returns the bytes of the pages that all tables use now; free pages of the file do not count."""
        stats = [self.txn.stat(database) for database in self.databases.values()]
        return sum(
            stat["psize"] * (stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"])
            for stat in stats
        )

    def count(self, name: str) -> int:
        """Returns the number of all keys of a table; does not read them."""
        return int(self.txn.stat(self.databases[name])["entries"])
