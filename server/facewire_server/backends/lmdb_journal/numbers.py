"""Numbers in the journal's storage: those of which keys consist, and those that are given once."""

from collections.abc import Sequence

from facewire_server.backends.lmdb_storage.tables import Transaction, number_key

__all__ = ["meta_number", "next_number", "numbers_of", "set_meta_number"]


def numbers_of(key: bytes) -> Sequence[int]:
    """Returns the numbers of which a key consists; see `number_key`."""
    return [int.from_bytes(key[at : at + 8], "big") for at in range(0, len(key), 8)]


def meta_number(transaction: Transaction, name: bytes) -> int:
    """Returns a number of the table "meta", 0 if it was never set."""
    return int.from_bytes(transaction.table("meta").get(name) or b"", "big")


def set_meta_number(transaction: Transaction, name: bytes, number: int) -> None:
    """Sets a number of the table "meta"."""
    transaction.table("meta").put(name, number_key(number))


def next_number(transaction: Transaction, name: bytes, now_us: int, *, count: int = 1) -> int:
    """Takes `count` numbers that were never taken under this name; returns the first of them."""
    first = max(meta_number(transaction, name) + 1, now_us)
    set_meta_number(transaction, name, first + count - 1)
    return first
