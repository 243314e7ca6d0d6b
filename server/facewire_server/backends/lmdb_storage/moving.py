"""The end of a switch: the next generation, which no other process knows yet, takes the place of the file in use in one commit."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import lmdb

from facewire_server.backends.lmdb_storage.erasing import erase, retire
from facewire_server.backends.lmdb_storage.generations import META, MOVED_TO, SWITCHING
from facewire_server.backends.lmdb_storage.tables import CHANGED, Storage, Transaction
from facewire_server.backends.lmdb_storage.vendor_errors import is_of_full_disk
from facewire_server.errors import GalleryFull, StorageBusy
from facewire_server.host.disk import sync_path

if TYPE_CHECKING:
    from facewire_server.backends.lmdb_storage.environment import Environment

__all__ = [
    "Next",
    "Rewrite",
    "move",
    "opened_next",
    "require_disk",
    "stop_noting",
    "undone_on_failure",
]

Rewrite: TypeAlias = Callable[[Transaction], None]
"""Changes the next generation before it is used."""

_ROOM_BYTES: Final = 64 << 20
"""Bytes by which the map of the next generation grows when it is full. Chosen, not measured."""

_MOVE_ROOM_BYTES: Final = 1 << 20
"""Bytes that must be free in the map of the file in use, for the word that it has moved: LMDB copies some ten pages for it."""


def require_disk(folder: Path, needed_bytes: int) -> None:
    """Raises GalleryFull if the disk has no room for the next generation."""
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < needed_bytes:
        raise GalleryFull(
            f"the disk has no room for a second copy of the storage: {needed_bytes >> 20} MiB must be free"
        )


def stop_noting(transaction: Transaction) -> None:
    """Ends what a switch began that did not come to its end."""
    of_this_file = transaction.unnoted()
    of_this_file.table(META).delete(SWITCHING)
    of_this_file.table(CHANGED).clear()


class Next:
    """The next generation, which no other process knows yet."""

    def __init__(self, environment: lmdb.Environment, storage: Storage) -> None:
        """Takes LMDB's environment over its file, which has all tables."""
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
def opened_next(part: Path, storage: Storage, map_bytes: int) -> Iterator[Next]:
    """Opens the file of the next generation for the block, in which a full disk is GalleryFull."""
    try:
        with lmdb.open(
            str(part),
            subdir=False,
            lock=False,
            sync=False,
            metasync=False,
            map_size=map_bytes,
            max_dbs=len(storage.all_tables),
        ) as environment:
            yield Next(environment, storage)
    except lmdb.Error as error:
        if not is_of_full_disk(error, part.parent):
            raise
        raise GalleryFull("the disk has no room for a second copy of the storage") from error


@contextmanager
def undone_on_failure(environment: "Environment", part: Path, target: Path) -> Iterator[None]:
    """Erases what the block has made if it fails before the file in use says that it has moved."""
    try:
        yield
    except BaseException:
        if not environment.has_moved():
            # What cannot be erased now is by a later `sweep`.
            with suppress(OSError):
                erase(part)
            with suppress(OSError):
                retire(target)
            environment.write(stop_noting, beyond_quota=True)
        raise


def move(
    environment: "Environment",
    part: Path,
    target: Path,
    complete: Callable[[Transaction], None],
    at_step: Callable[[str], None],
) -> None:
    """Lets the file in use say that it has moved to the next generation.

    Args:
        environment: of the file in use.
        part: the next generation's file, as it is named until it is complete.
        target: its name from then on.
        complete: completes and finishes it; takes the write transaction on the file in use.
        at_step: takes the name of each step that was done.
    """
    environment.make_room(_MOVE_ROOM_BYTES)
    attempts: list[None] = []

    def step(transaction: Transaction) -> None:
        if attempts:
            raise StorageBusy("the storage grew while it was rewritten; start again")
        attempts.append(None)
        complete(transaction)
        at_step("finished")
        part.rename(target)
        sync_path(target.parent)
        at_step("renamed")
        transaction.table(META).put(MOVED_TO, str(environment.generation + 1).encode())
        at_step("moving")

    # Not beyond the quota: the reserve is for who is deleted, and there is room in the map.
    environment.write(step)
