"""The highest revision and number that a gallery had which is gone: galleries made later begin above them."""

from typing import Final, NamedTuple

from facewire_server.backends.lmdb_storage.tables import Transaction, number_key

__all__ = ["Floors", "floors_of", "raise_floors"]

_REVISION: Final = b"revision_floor"
"""Key in "meta" of the highest revision that a deleted gallery had."""

_NUMBER: Final = b"number_floor"
"""Key in "meta" of the number from which on no deleted gallery gave any."""


class Floors(NamedTuple):
    """What galleries made later lie above.

    Attributes:
        revision: the highest of a gallery that is gone.
        next_number: none that is gone gave this number, or a higher one.
    """

    revision: int
    next_number: int


def floors_of(transaction: Transaction) -> Floors:
    """Returns the floors of a storage."""
    meta = transaction.table("meta")
    return Floors(*(int.from_bytes(meta.get(key) or b"", "big") for key in (_REVISION, _NUMBER)))


def raise_floors(transaction: Transaction, gone: Floors) -> None:
    """Raises the floors of a storage to what a gallery had that is gone, or another storage has."""
    for key, before, after in zip((_REVISION, _NUMBER), floors_of(transaction), gone, strict=True):
        transaction.table("meta").put(key, number_key(max(before, after)))
