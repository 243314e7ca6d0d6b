"""Puts another storage, such as a backup, in the place of the one in use: a switch to a copy of its file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import lmdb

from facewire_server.backends.lmdb_storage.copying import copy_backup
from facewire_server.backends.lmdb_storage.generations import file_of
from facewire_server.backends.lmdb_storage.moving import (
    Rewrite,
    move,
    opened_next,
    require_disk,
    undone_on_failure,
)
from facewire_server.backends.lmdb_storage.opened_tables import opened_tables
from facewire_server.backends.lmdb_storage.tables import Storage, Transaction

if TYPE_CHECKING:
    from facewire_server.backends.lmdb_storage.environment import Environment

__all__ = ["Carry", "changed_copy", "replace_by"]

Carry: TypeAlias = Callable[[Transaction, Transaction], None]
"""Takes the storage in use, and changes what takes its place, the second one, before it is used."""

_MAP_BYTES: Final = 1 << 30
"""Address space beyond the file's size, for what an upgrade writes: it is neither memory nor disk."""


def replace_by(
    environment: "Environment", folder: Path, storage: Storage, file: Path, carry: Carry
) -> None:
    """Makes a copy of a file's records the next generation. The caller has `switching_alone`.

    Args:
        environment: of the generation in use.
        folder: of the storage.
        storage: which.
        file: of the other storage.
        carry: see `Environment.replace`.
    """
    target = file_of(folder, environment.generation + 1)
    part = environment.next_part
    file_bytes = file.stat().st_size
    require_disk(folder, file_bytes)
    map_bytes = file_bytes + _MAP_BYTES
    with undone_on_failure(environment, part, target):
        _copy(file, part, storage, map_bytes)
        with opened_next(part, storage, map_bytes) as following:
            move(
                environment,
                part,
                target,
                lambda present: following.finish(lambda copied: carry(present, copied)),
                lambda _: None,
            )


def changed_copy(file: Path, into: Path, storage: Storage, change: Rewrite) -> None:
    """Writes a copy of a file's records, of the present format, and changes it; it is on the disk then.

    Args:
        file: of another storage, such as a backup, which was verified.
        into: the file, which does not exist.
        storage: which.
        change: may be run again, from the start.

    Raises:
        UnusableStorage: no storage that this version knows.
        GalleryFull, OSError: the disk is full.
    """
    map_bytes = file.stat().st_size + _MAP_BYTES
    _copy(file, into, storage, map_bytes)
    with opened_next(into, storage, map_bytes) as copied:
        copied.finish(change)


def _copy(file: Path, part: Path, storage: Storage, map_bytes: int) -> None:
    """Copies a file's records, and brings them to the present format, with all tables; no other process knows the copy."""
    copy_backup(file, part)
    with (
        lmdb.open(
            str(part),
            subdir=False,
            lock=False,
            map_size=map_bytes,
            max_dbs=len(storage.all_tables),
        ) as environment,
        environment.begin(write=True, buffers=True) as txn,
    ):
        opened_tables(environment, storage, Transaction(txn, {}), is_alone=True)
