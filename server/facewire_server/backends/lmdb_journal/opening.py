"""Opens the journal: one that cannot be used is put aside, and a new one begun; without any, the memory of the process stands in."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from facewire_server.backends.erasable_files import ErasableFiles
from facewire_server.backends.lmdb_journal.journal import LmdbJournal
from facewire_server.backends.lmdb_journal.storage import (
    DAMAGED,
    JournalStorage,
    now_us,
    retention_of,
)
from facewire_server.backends.lmdb_journal.writes import Retention
from facewire_server.backends.lmdb_storage.folder import alone_in
from facewire_server.backends.lmdb_storage.opened_tables import UnusableStorage
from facewire_server.backends.lmdb_storage.storage_check import NotChecked, checked_by
from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.errors import ServerError, StorageDamaged
from facewire_server.events import Emit, JournalReplaced
from facewire_server.galleries.ports import People
from facewire_server.streams.journal import RESUME_WITHIN_S

__all__ = ["OpenedJournal", "open_journal"]

_CHECK: Final = "facewire_server.backends.lmdb_journal.soundness"
"""The module that is run."""


class OpenedJournal(NamedTuple):
    """A journal, and what is to be reported about its opening."""

    journal: LmdbJournal | MemoryJournal
    replaced: JournalReplaced | None


def open_journal(
    folder: Path,
    people: People,
    *,
    keep_count: int,
    keep_s: float,
    keeps_crops: bool,
    emit: Emit,
    resume_within_s: float = RESUME_WITHIN_S,
    clock: Callable[[], int] = now_us,
) -> OpenedJournal:
    """Opens the journal in a folder, and makes it, if there is none; blocks.

    Args:
        folder: on a local file system, as the galleries' is.
        people: who references stand for.
        keep_count, keep_s: most events, and seconds, that events are kept.
        keeps_crops: pictures may be kept; if not, those that are there are erased.
        emit: takes a `JournalFailed` for each later failure.
        resume_within_s: seconds after a stream broke off within which it may be resumed.
        clock: returns microseconds since 1970-01-01 UTC.
    """
    retention = retention_of(keep_count, keep_s, resume_within_s)
    try:
        storage, replaced = _opened(folder, retention, emit, clock)
        try:
            if not keeps_crops:
                storage.write_now(lambda writes: writes.entries.crops.remove_all())
                storage.files.erase_all()
            journal = LmdbJournal(
                storage, people, keeps_crops=keeps_crops, resume_within_s=resume_within_s, emit=emit
            )
        except BaseException:
            storage.close()
            raise
        return OpenedJournal(journal, replaced)
    except (OSError, ServerError) as error:
        memory = MemoryJournal(
            people,
            keeps_crops=keeps_crops,
            keep_count=keep_count,
            keep_s=keep_s,
            resume_within_s=resume_within_s,
            now_us=clock,
        )
        return OpenedJournal(memory, JournalReplaced(str(error), is_kept=False))


def _opened(
    folder: Path, retention: Retention, emit: Emit, clock: Callable[[], int]
) -> tuple[JournalStorage, JournalReplaced | None]:
    try:
        _check(folder)
        return JournalStorage(folder, retention, emit, clock), None
    except (UnusableStorage, StorageDamaged) as error:
        _put_aside(folder)
        replaced = JournalReplaced(str(error), is_kept=True)
    return JournalStorage(folder, retention, emit, clock), replaced


def _check(folder: Path) -> None:
    """Reads what is in the folder.

    Raises:
        UnusableStorage: it cannot be read.
        NotChecked: nothing is known about it.
    """
    file = folder / "data.mdb"
    if file.exists():
        try:
            checked_by(_CHECK, folder)
        except NotChecked:
            raise
        except OSError as error:
            raise UnusableStorage(f"{file} is damaged: {error}") from error


def _put_aside(folder: Path) -> None:
    """Renames the storage, in place of one that was put aside before, and erases the pictures, to which it was the key.

    Raises:
        OSError: another process uses the folder.
    """
    with alone_in(folder):
        (folder / "data.mdb").replace(folder / DAMAGED)
        for name in ("lock.mdb", "accounts"):
            (folder / name).unlink(missing_ok=True)
        ErasableFiles(folder / "crops", ".jpg").erase_all()
