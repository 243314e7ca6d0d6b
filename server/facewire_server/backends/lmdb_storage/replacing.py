"""Puts another storage, such as a backup, in the place of the one in use: a switch to a copy of its file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import lmdb

from facewire_server.backends.lmdb_storage.copying import copy_backup
from facewire_server.backends.lmdb_storage.erasing import PART
from facewire_server.backends.lmdb_storage.generations import file_of
from facewire_server.backends.lmdb_storage.moving import (
    move,
    opened_next,
    require_disk,
    undone_on_failure,
)
from facewire_server.backends.lmdb_storage.opened_tables import opened_tables
from facewire_server.backends.lmdb_storage.tables import Storage, Transaction

if TYPE_CHECKING:
    from facewire_server.backends.lmdb_storage.environment import Environment

__all__ = ["Carry", "replace_by"]

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
    part = target.with_name(target.name + PART)
    file_bytes = file.stat().st_size
    require_disk(folder, file_bytes)
    map_bytes = file_bytes + _MAP_BYTES
    with undone_on_failure(environment, part, target):
        copy_backup(file, part)
        _upgrade(part, storage, map_bytes)
        with opened_next(part, storage, map_bytes) as following:
            move(
                environment,
                part,
                target,
                lambda present: following.finish(lambda copied: carry(present, copied)),
                lambda _: None,
            )


def _upgrade(part: Path, storage: Storage, map_bytes: int) -> None:
    """Brings a file to the present format, with all tables; no other process knows it."""
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
