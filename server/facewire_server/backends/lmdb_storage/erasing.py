"""Erases the files that a storage has left: their bytes are overwritten with zeros before the name goes.

A file is erased when no process uses it, which its exclusive lock shows. Its name says that it is to be erased before its bytes
go, so that a process that is killed meanwhile leaves it to the next one. On a disk that writes changed blocks elsewhere (a
file system with snapshots, a flash disk) the old blocks are the disk's: only its encryption protects them.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.generations import (
    FIRST,
    META,
    MOVED_TO,
    file_of,
    generations,
    lock_of,
    number_of,
)
from facewire_server.errors import StorageBusy
from facewire_server.host.disk import sync_path
from facewire_server.host.overwriting import overwrite
from facewire_server.host.private_files import open_private

__all__ = [
    "PART",
    "NotErased",
    "erase",
    "has_leftovers",
    "has_old_files",
    "part_of",
    "retire",
    "sweep",
    "switching_alone",
]

PART: Final = ".part"
"""What the name of a file ends with that a switch writes."""

_ERASE: Final = ".erase"
"""What the name of a file ends with that is to be erased."""

_SECOND_NAME: Final = re.compile(r"data\.mdb\.[0-9]+\.new")
"""Of the first generation's file: what a process of an earlier version has left that was killed while it made the file."""

_SWITCH_LOCK: Final = "switch.lock"
"""The file that the process has locked that makes, switches or erases files."""

_STUB: Final = b"is_stub"
"""Key in `META` of a file that holds nothing but what keeps others from making a new storage."""


def part_of(folder: Path, number: int) -> Path:
    """Returns the file of a generation as it is named while a switch writes it."""
    file = file_of(folder, number)
    return file.with_name(file.name + PART)


class NotErased(OSError):
    """The storage is in its next file, and an old one cannot be overwritten now: it is there until a later `sweep`."""


@contextmanager
def switching_alone(folder: Path, *, waits: bool = False) -> Iterator[int]:
    """Keeps every other process from making, switching and erasing files for the block; yields the locked file, which a child may inherit.

    Raises:
        StorageBusy: another process, or thread, does it; not if this one `waits` until it has ended.
    """
    file = open_private(folder / _SWITCH_LOCK)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise StorageBusy("another process rewrites the storage") from error
        yield file
    finally:
        os.close(file)


def has_leftovers(folder: Path, current: int, stub: int) -> bool:
    """Whether there is a file that `sweep` would look at; microseconds.

    Args:
        folder: of the storage.
        current: the generation in use.
        stub: what `sweep` returned; 0 = nothing yet.
    """
    names = [path.name for path in folder.iterdir()]
    if any(name.endswith((PART, _ERASE)) or _SECOND_NAME.fullmatch(name) for name in names):
        return True
    others = {number_of(name) for name in names} - {None, current}
    first = file_of(folder, FIRST)
    if current != FIRST and not first.exists():
        return True
    if FIRST in others and first.stat().st_ino == stub:
        others.discard(FIRST)
    return bool(others)


def has_old_files(folder: Path, current: int, stub: int) -> bool:
    """Whether a file that a switch has replaced still has its bytes: a process uses it, or none has erased it yet; microseconds.

    Args:
        folder, current, stub: as for `has_leftovers`.
    """
    for path in folder.iterdir():
        number = number_of(path.name)
        if path.name.endswith(_ERASE) or (number is not None and FIRST < number < current):
            return True
    first = file_of(folder, FIRST)
    return current != FIRST and first.exists() and first.stat().st_ino != stub


def sweep(
    folder: Path, current: int, stub_format: bytes, at_step: Callable[[str], None] = lambda _: None
) -> int:
    """Erases what is left of other generations and of switches that did not end, as far as no process uses it.

    The caller has `switching_alone`, and `current` has not moved.

    Returns:
        The inode of a first generation that holds nothing any more; 0 if it is in use.

    Raises:
        StorageBusy: a process uses a later generation.
        OSError: a file cannot be erased.
    """
    for path in list(folder.iterdir()):
        if path.name.endswith(PART):
            erase(path, at_step)
        elif _SECOND_NAME.fullmatch(path.name):
            path.unlink()  # not its bytes, which are the storage's
    for number in generations(folder):
        # Another process may look at it, which must not see zeros.
        if number > current and not retire(file_of(folder, number), at_step):
            raise StorageBusy("another process reads what an interrupted rewriting has left")
    stub = 0
    for number in range(FIRST, current):
        file = file_of(folder, number)
        if number == FIRST:
            stub = _retire_first(file, stub_format, at_step)
        elif file.exists():
            retire(file, at_step)
    for path in list(folder.iterdir()):
        if path.name.endswith(_ERASE) and not _is_same(path, file_of(folder, FIRST)):
            _erase_aside(path, at_step)
    return stub


def retire(file: Path, at_step: Callable[[str], None] = lambda _: None) -> bool:
    """Erases a generation's file unless a process uses it, or looks at it; returns whether it did."""
    with _unused(file) as is_unused:
        if is_unused:
            _erase_aside(file.rename(file.with_name(file.name + _ERASE)), at_step)
            lock_of(file).unlink(missing_ok=True)
        return is_unused


def _retire_first(file: Path, stub_format: bytes, at_step: Callable[[str], None]) -> int:
    """Puts an empty storage that says that it has moved in place of the first generation.

    Without one, a server of an earlier version would make a new gallery.
    """
    if not file.exists():
        _make_stub(file, stub_format)
        return file.stat().st_ino
    with _unused(file) as is_unused:
        if not is_unused:
            return 0
        if not _is_stub(file):
            old = file.with_name(file.name + _ERASE)
            if old.exists() and not _is_same(old, file):
                _erase_aside(old, at_step)
            if not old.exists():
                old.hardlink_to(file)
            sync_path(file.parent)
            at_step("put aside")
            _make_stub(file, stub_format)
            erase(old, at_step)
        return file.stat().st_ino


def _make_stub(file: Path, stub_format: bytes) -> None:
    part = file.with_name(f"stub{PART}")
    part.unlink(missing_ok=True)
    os.close(open_private(part, os.O_RDWR | os.O_EXCL))
    # Nothing shares a file of this name, so it needs no lock.
    with lmdb.open(str(part), subdir=False, lock=False, mode=0o600, max_dbs=1) as environment:
        meta = environment.open_db(META.encode())
        with environment.begin(write=True) as txn:
            txn.put(b"format", stub_format, db=meta)
            txn.put(MOVED_TO, b"", db=meta)
            txn.put(_STUB, b"", db=meta)
    part.replace(file)
    sync_path(file.parent)


def _is_stub(file: Path) -> bool:
    # No process writes to a file that has moved.
    with lmdb.open(str(file), subdir=False, readonly=True, lock=False, max_dbs=1) as environment:
        try:
            meta = environment.open_db(META.encode(), create=False)
        except lmdb.NotFoundError:
            return False
        with environment.begin() as txn:
            return txn.get(_STUB, db=meta) is not None


@contextmanager
def _unused(file: Path) -> Iterator[bool]:
    """Yields whether no process uses the file, and keeps it so for the block."""
    opened = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(opened)


def _erase_aside(file: Path, at_step: Callable[[str], None]) -> None:
    """Erases a file that was put aside: by this process, or by one that was killed then, or could not wait for the disk."""
    # Before its bytes go: a file of zeros under its old name would be damage after a power cut.
    sync_path(file.parent)
    at_step("put aside")
    erase(file, at_step)


def erase(file: Path, at_step: Callable[[str], None] = lambda _: None) -> None:
    """Overwrites a file that no process uses with zeros, and removes it.

    Raises:
        OSError: it cannot be overwritten; it is still there, and is to be erased again. Or it is overwritten, and its name may
            come back after a power cut.
    """
    overwrite(file, lambda: at_step("erasing"))
    at_step("erased")
    file.unlink()
    if number_of(file.name) not in (None, FIRST):
        lock_of(file).unlink(missing_ok=True)
    sync_path(file.parent)


def _is_same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)
