"""What was deleted and may still be in the file: counted with the deletion, and settled when a switch has left it behind."""

import time
from pathlib import Path
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery
from facewire_server.backends.lmdb_gallery.storage_check import damaged_galleries
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.generations import generations
from facewire_server.backends.lmdb_storage.tables import Table, Transaction, number_key
from facewire_server.errors import StorageDamaged

__all__ = [
    "Pending",
    "compact",
    "erase_deleted",
    "note_deletion",
    "pending",
    "pending_since_us",
    "settle",
]

_COUNT: Final = b"deletion_count"
"""Key in "meta" of the number of all deletions ever."""

_SINCE: Final = b"deleted_since_us"
"""Key in "meta" of the time of the first deletion that no switch has left behind, in microseconds since 1970-01-01 UTC."""

_WAIT_S: Final = 10.0
"""Seconds to wait until no server uses a file that was replaced: servers look each second. Chosen, not measured."""

_LOOK_S: Final = 0.1
"""Seconds between two looks. Chosen, not measured."""

_MAP_BYTES: Final = 1 << 30
"""Address space to begin with; LMDB takes more if the file is larger."""


class Pending(NamedTuple):
    """Deletions that no switch has left behind.

    Attributes:
        since_us: of the first one, microseconds since 1970-01-01 UTC; None = there is none.
        deletion_count: of all deletions ever.
        galleries: by gallery id, when it was made and its pending deletions.
    """

    since_us: int | None
    deletion_count: int
    galleries: dict[bytes, tuple[int, int]]


def note_deletion(transaction: Transaction, now_us: int) -> None:
    """Takes that something was deleted in this write transaction."""
    meta = transaction.table("meta")
    meta.put(_COUNT, number_key(_number(meta, _COUNT) + 1))
    if meta.get(_SINCE) is None:
        meta.put(_SINCE, number_key(now_us))


def pending(transaction: Transaction) -> Pending:
    """Reads what is pending; one record of each gallery."""
    meta = transaction.table("meta")
    galleries: dict[bytes, tuple[int, int]] = {}
    for gallery_id, value in transaction.table("galleries").scan():
        try:
            record = Gallery.FromString(value)
        except DecodeError:  # a damaged gallery keeps no other from being erased
            continue
        galleries[gallery_id] = record.created_at_us, record.pending_purge_count
    return Pending(pending_since_us(transaction), _number(meta, _COUNT), galleries)


def pending_since_us(transaction: Transaction) -> int | None:
    """Returns the time of the first pending deletion, microseconds since 1970-01-01 UTC, or None; reads one key."""
    value = transaction.table("meta").get(_SINCE)
    return None if value is None else int.from_bytes(value, "big")


def erase_deleted(environment: Environment) -> int:
    """Has the storage moved into a file without what was deleted; blocks. Raises as `Environment.switch` does.

    Returns:
        The deletions that were pending in galleries that exist.
    """
    began_us = time.time_ns() // 1000
    with environment.read() as transaction:
        before = pending(transaction)
    environment.switch(lambda following: settle(following, before, began_us))
    return sum(count for _, count in before.galleries.values())


def settle(following: Transaction, before: Pending, now_us: int) -> None:
    """Takes off what was pending when a switch began, in the generation that it leads to.

    Deletions since then stay pending: what they deleted may have been copied.

    Args:
        following: the next generation.
        before: as it was read before the switch began.
        now_us: when that was, microseconds since 1970-01-01 UTC.
    """
    meta = following.table("meta")
    if before.since_us is not None:
        meta.delete(_SINCE)
    if _number(meta, _COUNT) != before.deletion_count:
        meta.put(_SINCE, number_key(now_us))
    table = following.table("galleries")
    for gallery_id, (created_at_us, count) in before.galleries.items():
        value = table.get(gallery_id)
        if not count or value is None:
            continue
        record = Gallery.FromString(value)
        if (
            record.created_at_us == created_at_us
        ):  # else it was deleted, and another one made under its id
            record.pending_purge_count -= min(count, record.pending_purge_count)
            table.put(gallery_id, record.SerializeToString())


def _number(meta: Table, key: bytes) -> int:
    return int.from_bytes(meta.get(key) or b"", "big")


def compact(folder: Path, wait_s: float = _WAIT_S) -> bool:
    """Rewrites the storage in a folder without what was deleted, also while servers use it; blocks.

    Args:
        folder: of the storage.
        wait_s: seconds to wait until no server uses the old file.

    Returns:
        Whether the old file is erased; if not, the servers erase it later.

    Raises:
        StorageDamaged, OSError: the storage cannot be used; it is as it was.
        StorageBusy: a server rewrites it now.
        GalleryFull: the disk has no room for a second copy.
    """
    if not (folder.is_dir() and generations(folder)):
        raise OSError(f"there is no gallery in {folder}: name the data folder of the server")
    damaged = damaged_galleries(folder)
    if damaged:
        raise StorageDamaged(
            f"damaged galleries: {', '.join(damaged)}; restore a backup before they are rewritten"
        )
    environment = Environment(folder, GALLERY_STORAGE, map_bytes=_MAP_BYTES, max_bytes=_MAP_BYTES)
    try:
        erase_deleted(environment)
        ends_at_s = time.monotonic() + wait_s
        while environment.has_leftovers:
            if time.monotonic() > ends_at_s:
                return False
            time.sleep(_LOOK_S)
            environment.tidy()
        return True
    finally:
        environment.close()
