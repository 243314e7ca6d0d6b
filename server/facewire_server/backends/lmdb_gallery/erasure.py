"""What was deleted and may still be in a file: counted with the deletion, left behind by a switch, and taken off when the old file is erased."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from facewire_server.backends.lmdb_gallery.erasure_notes import Keep, Noted, keep_nothing, noted
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery
from facewire_server.backends.lmdb_gallery.storage_check import damaged_galleries
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.erasing import NotErased
from facewire_server.backends.lmdb_storage.generations import generations
from facewire_server.backends.lmdb_storage.growth import Progress, shown_growth, unshown
from facewire_server.backends.lmdb_storage.tables import Table, Transaction, number_key
from facewire_server.errors import ServerError, StorageBusy, StorageDamaged

__all__ = [
    "Pending",
    "compact",
    "erase_deleted",
    "erased_within",
    "leave_behind",
    "note_deletion",
    "pending",
    "pending_since_us",
    "purge",
    "restore_counts",
    "settle",
]

_COUNT: Final = b"deletion_count"
"""Key in "meta" of the number of all deletions ever."""

_SINCE: Final = b"deleted_since_us"
"""Key in "meta" of the time of the first deletion that no switch has left behind, in microseconds since 1970-01-01 UTC."""

_LEFT_BEHIND: Final = b"left_behind"
"""Key in "meta" of what the last switch has left behind in a file that may not be erased yet: JSON, see `Pending.packed`."""

_ERASED_COUNT: Final = b"erased_count"
"""Key in "meta" of the number of all deletions ever of which nothing is in any file."""

_WAIT_S: Final = 10.0
"""Seconds to wait until no server uses a file that was replaced: servers look each second. Chosen, not measured."""

_LOOK_S: Final = 0.1
"""Seconds between two looks. Chosen, not measured."""

_MAP_BYTES: Final = 1 << 30
"""Address space to begin with; LMDB takes more if the file is larger."""


class Pending(NamedTuple):
    """Deletions that may be in a file.

    Attributes:
        since_us: of the first one that no switch has left behind, microseconds since 1970-01-01 UTC; None = there is none.
        deletion_count: of all deletions ever.
        galleries: by gallery id, when it was made and its pending deletions.
    """

    since_us: int | None
    deletion_count: int
    galleries: dict[bytes, tuple[int, int]]

    def packed(self) -> bytes:
        """Returns what `_LEFT_BEHIND` keeps of it."""
        counted = {one.decode(): found for one, found in self.galleries.items() if found[1]}
        return json.dumps({"count": self.deletion_count, "galleries": counted}).encode()


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


def erase_deleted(environment: Environment, keep: Keep = keep_nothing) -> int:
    """Has the storage moved into a file without what was deleted; blocks. Raises as `Environment.switch` does.

    Args:
        environment: of the storage.
        keep: see `noted`.

    Returns:
        The deletions that were pending in galleries that exist.
    """
    with noted(keep) as so_far:
        _switch(environment, so_far)
        return so_far.deletion_count


def _switch(environment: Environment, so_far: Noted) -> None:
    began_us = time.time_ns() // 1000
    with environment.read() as transaction:
        before = pending(transaction)
    so_far.deletion_count = sum(count for _, count in before.galleries.values())
    environment.switch(
        lambda following: leave_behind(following, before, began_us), at_step=so_far.at_step
    )
    with suppress(ServerError, OSError):  # the switch is done; `tidy` of the gallery does it later
        settle(environment)


def leave_behind(following: Transaction, before: Pending, now_us: int) -> None:
    """Notes what was pending when a switch began, in the generation that it leads to: it stays in the old file alone.

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
    meta.put(_LEFT_BEHIND, before.packed())


def restore_counts(present: Transaction, copied: Transaction) -> None:
    """Counts in the copy of a backup, in which nothing is deleted, what the storage that it replaces leaves behind."""
    before = pending(present)
    meta, table = copied.table("meta"), copied.table("galleries")
    count = max(before.deletion_count, _number(meta, _COUNT))
    left: dict[bytes, tuple[int, int]] = {}
    for gallery_id, value in list(table.scan()):
        record = Gallery.FromString(value)
        _, record.pending_purge_count = before.galleries.get(gallery_id, (0, 0))
        left[gallery_id] = record.created_at_us, record.pending_purge_count
        table.put(gallery_id, record.SerializeToString())
    meta.delete(_SINCE)
    meta.put(_COUNT, number_key(count))
    meta.put(_ERASED_COUNT, number_key(_number(present.table("meta"), _ERASED_COUNT)))
    meta.put(_LEFT_BEHIND, Pending(None, count, left).packed())


def settle(environment: Environment) -> bool:
    """Takes off the counts what was left behind, once the old file is erased; returns whether it is.

    Two looks at a folder and a key if there is nothing to do. Raises as `Environment.write` does.
    """
    if environment.has_old_files:
        return False
    with environment.read() as transaction:
        if transaction.table("meta").get(_LEFT_BEHIND) is None:
            return True

    def change(transaction: Transaction) -> bool:
        # Again: another process may have switched since, and what this reads be of its old file.
        if environment.has_old_files:
            return False
        _take_off(transaction)
        return True

    return environment.write(change, beyond_quota=True)


def _take_off(transaction: Transaction) -> None:
    meta = transaction.table("meta")
    packed = meta.get(_LEFT_BEHIND)
    if packed is None:  # another process was faster
        return
    left = json.loads(packed)
    meta.delete(_LEFT_BEHIND)
    meta.put(_ERASED_COUNT, number_key(left["count"]))
    table = transaction.table("galleries")
    for gallery_id, (created_at_us, count) in left["galleries"].items():
        value = table.get(gallery_id.encode())
        if value is None:
            continue
        record = Gallery.FromString(value)
        if (
            record.created_at_us == created_at_us
        ):  # else it was deleted, and another one made under its id
            record.pending_purge_count -= min(count, record.pending_purge_count)
            table.put(gallery_id.encode(), record.SerializeToString())


def purge(environment: Environment, wait_s: float = _WAIT_S, *, keep: Keep = keep_nothing) -> int:
    """Returns when nothing that was deleted before the call is in any file of the storage; blocks.

    Args:
        environment: of the storage.
        wait_s: seconds to wait until no process uses an old file.
        keep: see `noted`.

    Returns:
        The deletions that were erased, of all galleries.

    Raises:
        StorageBusy: another process rewrites the storage, or uses the old file for longer.
        NotErased: the storage was rewritten, and the old file cannot be erased.
        GalleryFull, StorageDamaged, OSError: see `Environment.switch`.
    """
    with environment.read() as transaction:
        meta = transaction.table("meta")
        wanted, erased = _number(meta, _COUNT), _number(meta, _ERASED_COUNT)
        packed = meta.get(_LEFT_BEHIND)
    left = erased if packed is None else int(json.loads(packed)["count"])
    with noted(keep) as so_far:
        if left < wanted:
            _switch(environment, so_far)
        so_far.deletion_count = wanted - erased
        if not erased_within(environment, wait_s):
            raise StorageBusy(
                "the storage was rewritten, and a process still uses the old file: it is erased as soon as that process lets it go"
            )
    return wanted - erased


def erased_within(environment: Environment, wait_s: float = _WAIT_S) -> bool:
    """Waits until no process uses an old file, and it is erased; blocks. Returns whether it is, after `wait_s`.

    Raises:
        NotErased: it cannot be overwritten.
    """
    ends_at_s = time.monotonic() + wait_s
    while True:
        try:
            environment.tidy()
            if settle(environment):
                return True
        except (OSError, ServerError) as error:
            raise NotErased(f"the old file cannot be erased now: {error}") from error
        if time.monotonic() > ends_at_s:
            return False
        time.sleep(_LOOK_S)


def _number(meta: Table, key: bytes) -> int:
    return int.from_bytes(meta.get(key) or b"", "big")


def compact(
    folder: Path,
    wait_s: float = _WAIT_S,
    *,
    keep: Keep = keep_nothing,
    progress: Progress = unshown,
) -> bool:
    """Rewrites the storage in a folder without what was deleted, also while servers use it; blocks.

    Args:
        folder: of the storage.
        wait_s: seconds to wait until no server uses the old file.
        keep: see `noted`; a file that a server still uses is no failure of it.
        progress: takes the share that is done of the check, then of the copy.

    Returns:
        Whether the old file is erased; if not, the servers erase it later.

    Raises:
        StorageDamaged, OSError: the storage cannot be used; it is as it was.
        StorageBusy: a server rewrites it now.
        GalleryFull: the disk has no room for a second copy.
        NotErased: the storage was rewritten, and the old file cannot be erased: the servers try again.
    """
    if not (folder.is_dir() and generations(folder)):
        raise OSError(f"there is no gallery in {folder}: name the data folder of the server")
    damaged = damaged_galleries(folder, progress=progress)
    if damaged:
        raise StorageDamaged(
            f"damaged galleries: {', '.join(damaged)}; restore a backup before they are rewritten"
        )
    environment = Environment(folder, GALLERY_STORAGE, map_bytes=_MAP_BYTES, max_bytes=_MAP_BYTES)
    try:
        with environment.read() as transaction:
            most_bytes = transaction.used_bytes()
        with shown_growth(environment.next_part, most_bytes, progress):
            erase_deleted(environment, keep)
        return erased_within(environment, wait_s)
    finally:
        environment.close()
