"""The generation switch: the storage is copied, record by record, into the next file, which takes its place.

Purge, compaction and re-embedding are this one step. While the copy is made, others read and write: each write notes the keys
that it changes, and what they hold is brought over afterwards, the last of it in a write transaction that ends with the word
that the file has moved. A process that is killed before that commit leaves the storage as it was; after it, the next
generation is the storage. The copy is made of the records that there are, so that what was deleted before is in no page of it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import lmdb

from facewire_server.backends.lmdb_storage.copy_process import copy_file
from facewire_server.backends.lmdb_storage.disk import sync_path
from facewire_server.backends.lmdb_storage.erasing import PART, erase
from facewire_server.backends.lmdb_storage.generations import META, MOVED_TO, SWITCHING, file_of
from facewire_server.backends.lmdb_storage.tables import CHANGED, Storage, Transaction
from facewire_server.backends.lmdb_storage.vendor_errors import is_of_full_disk
from facewire_server.errors import GalleryFull, StorageBusy

if TYPE_CHECKING:
    from facewire_server.backends.lmdb_storage.environment import Environment

__all__ = ["Rewrite", "stop_noting", "switch_to_next"]

Rewrite: TypeAlias = Callable[[Transaction], None]
"""Changes the next generation before it is used."""

_ROUNDS: Final = 5
"""Most times that changes are brought over before writes must wait. Chosen, not measured: each round takes less than the
one before, as it brings over what was written during that one."""

_FEW_CHANGES: Final = 256
"""Changes that are brought over while writes wait: milliseconds. Chosen, not measured."""

_ROOM_BYTES: Final = 64 << 20
"""Bytes by which the map of the next generation grows when it is full. Chosen, not measured."""

_MOVE_ROOM_BYTES: Final = 1 << 20
"""Bytes that must be free in the map of the file in use, for the word that it has moved: LMDB copies some ten pages for it."""


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
    part = target.with_name(target.name + PART)
    _require_disk(environment, folder)
    environment.write(_begin_noting, beyond_quota=True)
    at_step("noting")
    try:
        map_bytes = environment.map_bytes
        copy_file(file_of(folder, environment.generation), part, map_bytes, lock, at_step)
        at_step("copied")
        with _named_if_full(folder), _opened(part, storage, map_bytes) as following:
            _bring_over(environment, following)
            at_step("brought over")
            environment.make_room(_MOVE_ROOM_BYTES)
            attempts: list[None] = []

            def move(transaction: Transaction) -> None:
                if attempts:
                    raise StorageBusy("the storage grew while it was rewritten; start again")
                attempts.append(None)
                changes = [bytes(key) for key, _ in transaction.table(CHANGED).scan()]
                following.apply(transaction, changes)
                following.finish(rewrite)
                at_step("finished")
                part.rename(target)
                sync_path(folder)
                at_step("renamed")
                transaction.table(META).put(MOVED_TO, str(environment.generation + 1).encode())
                at_step("moving")

            # Not beyond the quota: the reserve is for who is deleted, and there is room in the map.
            environment.write(move)
    except BaseException:
        if not environment.has_moved():
            for file in (part, target):
                if file.exists():
                    erase(file)
            environment.write(stop_noting, beyond_quota=True)
        raise


@contextmanager
def _named_if_full(folder: Path) -> Iterator[None]:
    try:
        yield
    except lmdb.Error as error:
        if not is_of_full_disk(error, folder):
            raise
        raise GalleryFull("the disk has no room for a second copy of the storage") from error


def _require_disk(environment: "Environment", folder: Path) -> None:
    with environment.read() as transaction:
        needed = transaction.used_bytes()
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < needed:
        raise GalleryFull(
            f"the disk has no room for a second copy of the storage: {needed >> 20} MiB must be free"
        )


def _begin_noting(transaction: Transaction) -> None:
    transaction.table(CHANGED).clear()
    transaction.table(META).put(SWITCHING, b"")


def stop_noting(transaction: Transaction) -> None:
    """Ends what a switch began that did not come to its end."""
    of_this_file = transaction.unnoted()
    of_this_file.table(META).delete(SWITCHING)
    of_this_file.table(CHANGED).clear()


class _Next:
    """The next generation, which no other process knows yet."""

    def __init__(self, environment: lmdb.Environment, storage: Storage) -> None:
        self._environment = environment
        self._databases = {
            name: environment.open_db(name.encode(), create=False) for name in storage.all_tables
        }

    def change(self, step: Rewrite) -> None:
        """Runs a step in a write transaction, again if the map had to grow."""
        while True:
            try:
                with self._environment.begin(write=True, buffers=True) as txn:
                    return step(Transaction(txn, self._databases))
            except lmdb.MapFullError:
                grown = self._environment.info()["map_size"] + _ROOM_BYTES
                self._environment.set_mapsize(grown)

    def apply(self, present: Transaction, changes: list[bytes]) -> None:
        """Brings over what noted keys hold now."""

        def step(following: Transaction) -> None:
            for change in changes:
                name, _, key = change.partition(b"\0")
                value = present.table(name.decode()).view(key)
                table = following.table(name.decode())
                if value is None:
                    table.delete(key)
                else:
                    table.put(key, bytes(value))

        self.change(step)

    def finish(self, rewrite: Rewrite) -> None:
        """Makes it a storage of its own, on the disk, and closes it: other threads may adopt it next."""

        def step(following: Transaction) -> None:
            rewrite(following)
            stop_noting(following)

        self.change(step)
        self._environment.sync(True)
        self._environment.close()


@contextmanager
def _opened(part: Path, storage: Storage, map_bytes: int) -> Iterator[_Next]:
    with lmdb.open(
        str(part),
        subdir=False,
        lock=False,
        sync=False,
        metasync=False,
        map_size=map_bytes,
        max_dbs=len(storage.all_tables),
    ) as environment:
        yield _Next(environment, storage)


def _bring_over(environment: "Environment", following: _Next) -> None:
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
