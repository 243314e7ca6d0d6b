"""Journals on the disk, for tests: people in memory, a clock that a test sets, and what was reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facewire_server.backends.lmdb_journal import open_journal
from facewire_server.backends.lmdb_journal.journal import LmdbJournal
from facewire_server.events import Emit, JournalReplaced, ignore
from facewire_server.galleries.ports import People

__all__ = ["files_of", "open_in", "opened_journal"]


@contextmanager
def opened_journal(folder: Path, people: People, **options: Any) -> Iterator[LmdbJournal]:
    """A journal in the folder, for the block; one that was put aside fails the test."""
    journal, replaced = open_in(folder, people, **options)
    assert replaced is None, replaced
    try:
        yield journal
    finally:
        journal.close()


def open_in(
    folder: Path, people: People, emit: Emit = ignore, **options: Any
) -> tuple[Any, JournalReplaced | None]:
    """The journal of the folder, and what is reported about it."""
    defaults = {"keep_count": 1000, "keep_s": 86_400.0, "keeps_crops": False}
    return open_journal(folder, people, emit=emit, **(defaults | options))


def files_of(folder: Path) -> dict[str, bytes]:
    """Everything that lies in the folder and below it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
