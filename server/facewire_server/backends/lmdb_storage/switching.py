"""The generation switch: the storage is copied, record by record, into the next file, which takes its place.

Purge, compaction and re-embedding are this one step. While the copy is made, others read and write: each write notes the keys
that it changes, and what they hold is brought over afterwards, the last of it in a write transaction that ends with the word
that the file has moved. A process that is killed before that commit leaves the storage as it was; after it, the next
generation is the storage. The copy is made of the records that there are, so that what was deleted before is in no page of it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from facewire_server.backends.lmdb_storage.copy_process import copy_file
from facewire_server.backends.lmdb_storage.generations import META, SWITCHING, file_of
from facewire_server.backends.lmdb_storage.moving import (
    Next,
    Rewrite,
    move,
    opened_next,
    require_disk,
    undone_on_failure,
)
from facewire_server.backends.lmdb_storage.tables import CHANGED, Storage, Transaction

if TYPE_CHECKING:
    from facewire_server.backends.lmdb_storage.environment import Environment

__all__ = ["switch_to_next"]

_ROUNDS: Final = 5
"""Most times that changes are brought over before writes must wait. Chosen, not measured: each round takes less than the
one before, as it brings over what was written during that one."""

_FEW_CHANGES: Final = 256
"""Changes that are brought over while writes wait: milliseconds. Chosen, not measured."""


def switch_to_next(
    environment: "Environment",
    folder: Path,
    storage: Storage,
    lock: int,
    rewrite: Rewrite,
    at_step: Callable[[str], None],
) -> None:
    """Makes the next generation, and lets the file in use say that it has moved.

    Args:
        environment: of the generation in use.
        folder: of the storage.
        storage: which.
        lock: the file of `switching_alone`, which the caller holds.
        rewrite: see `Environment.switch`.
        at_step: takes the name of each step that was done.
    """
    target = file_of(folder, environment.generation + 1)
    part = environment.next_part
    with environment.read() as transaction:
        needed_bytes = transaction.used_bytes()
    require_disk(folder, needed_bytes)
    environment.write(_begin_noting, beyond_quota=True)
    at_step("noting")
    with undone_on_failure(environment, part, target):
        map_bytes = environment.map_bytes
        copy_file(file_of(folder, environment.generation), part, map_bytes, lock, at_step)
        at_step("copied")
        with opened_next(part, storage, map_bytes) as following:
            _bring_over(environment, following)
            at_step("brought over")

            def complete(present: Transaction) -> None:
                changes = [bytes(key) for key, _ in present.table(CHANGED).scan()]
                following.apply(present, changes)
                following.finish(rewrite)

            move(environment, part, target, complete, at_step)


def _begin_noting(transaction: Transaction) -> None:
    transaction.table(CHANGED).clear()
    transaction.table(META).put(SWITCHING, b"")


def _bring_over(environment: "Environment", following: Next) -> None:
    """Brings over what was changed since the copy began, until little is left."""
    for _ in range(_ROUNDS):
        changes: list[bytes] = []

        def take(transaction: Transaction, into: list[bytes] = changes) -> None:
            into[:] = [bytes(key) for key, _ in transaction.table(CHANGED).scan()]
            if len(into) > _FEW_CHANGES:
                transaction.unnoted().table(CHANGED).clear()

        environment.write(take, beyond_quota=True)
        if len(changes) <= _FEW_CHANGES:
            return
        # After the keys were taken: what is written from here on is noted again.
        with environment.read() as present:
            following.apply(present, changes)
