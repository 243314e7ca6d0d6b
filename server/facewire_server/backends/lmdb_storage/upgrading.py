"""Opens the tables of a storage, after an upgrade if an earlier version made it."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from facewire_server.backends.lmdb_storage.folder import FolderLock
from facewire_server.backends.lmdb_storage.open_file import OpenFile
from facewire_server.backends.lmdb_storage.opened_tables import OutdatedStorage
from facewire_server.backends.lmdb_storage.tables import Transaction

__all__ = ["open_or_upgrade"]

_WAIT_S: Final = 5.0
"""Seconds to wait until no other process uses a storage that must be upgraded. Chosen, not measured: of several processes
that start together, each gives way to one."""

_RETRY_S: Final = 0.05
"""Seconds between two looks. Chosen, not measured."""


class _Write(Protocol):
    def __call__(
        self, change: Callable[[Transaction], Any], *, beyond_quota: bool = False
    ) -> Any: ...


def open_or_upgrade(opened: OpenFile, write: _Write, lock: FolderLock) -> None:
    """Opens the tables; upgrades them as soon as no other process uses the storage, or finds that another one has.

    Args:
        opened: the file.
        write: `Environment.write`.
        lock: of the folder.

    Raises:
        OutdatedStorage: it must be upgraded, and other processes go on using it.
    """
    try:
        opened.databases = write(opened.open_tables)
        return
    except OutdatedStorage:
        ends_at_s = time.monotonic() + _WAIT_S
    while True:
        with lock.alone() as is_alone:
            try:
                # Room for a second copy of what is rewritten: a quota must not keep a server from starting.
                step = partial(opened.open_tables, is_alone=is_alone)
                opened.databases = write(step, beyond_quota=True)
                return
            except OutdatedStorage:
                if time.monotonic() > ends_at_s:
                    raise
            # While the lock is released, so that of several processes one is alone.
            time.sleep(_RETRY_S)
