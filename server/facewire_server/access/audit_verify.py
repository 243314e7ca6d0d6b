"""Checks an audit log: finds the first line that was changed, removed, inserted or moved, and an end that was cut off.

What it cannot find by itself: an end that was cut off, or replaced, together with the file of the head, by someone who computed all
hashes again. For that a link is kept where they cannot write: an anchor must still be in the log. A cut end of which the galleries
were not changed shows in their revisions (`Logged.missing`).
"""

import fcntl
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from facewire_server.access.audit_lines import START, AuditLineError, Link, link_of
from facewire_server.access.audit_log import HEAD, locked, log_files
from facewire_server.access.audit_revisions import Logged

__all__ = ["Verified", "read_head", "verify"]


@dataclass(frozen=True, slots=True)
class Verified:
    """A log that was found whole.

    Attributes:
        last: its last line; an anchor of later verifications.
        cut_bytes: of a line at its end that a crash cut short; the next one to append removes them.
        logged: what its lines say of galleries.
    """

    last: Link
    cut_bytes: int
    logged: Logged


def verify(folder: Path, anchors: Collection[Link] = ()) -> Verified:
    """Reads the log in a folder, also while servers append to it: as far as it goes at the beginning.

    Args:
        folder: of the log.
        anchors: lines that the log had before. Of files that were taken away the last line must be one.

    Raises:
        AuditLineError: the log is not whole; the text names file and line.
        OSError: it cannot be read.
    """
    with _state(folder) as (head, files):
        return _verified(head, files, anchors)


def _verified(
    head: Link | None, files: Iterable[tuple[Path, Iterator[bytes]]], anchors: Collection[Link]
) -> Verified:
    last, cut_bytes, logged = START, 0, Logged()
    missing = {anchor.number: anchor for anchor in anchors if anchor != START}
    is_first = True
    head_is_right = head is None
    for path, lines in files:
        if cut_bytes:
            raise AuditLineError(f"{path.name}: the file before it ends in the middle of a line")
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                cut_bytes = len(line)
                continue
            try:
                if is_first:
                    last = _start(line, missing)
                    missing = {one: link for one, link in missing.items() if one > last.number}
                    # A head that was not written for long may be of a file that was taken away.
                    head_is_right |= head is not None and 0 < head.number <= last.number
                last = link_of(line[:-1], last)
                logged.take(line)
            except AuditLineError as error:
                raise AuditLineError(f"{path.name}, line {number}: {error}") from None
            is_first = False
            head_is_right |= last == head
            if missing.get(last.number) == last:
                del missing[last.number]
    if missing:
        raise AuditLineError(
            f"line {min(missing)} is not what it was: the log was replaced, or its end was cut off"
        )
    _check_head(head, last, is_right=head_is_right)
    return Verified(last, cut_bytes, logged)


@contextmanager
def _state(folder: Path) -> Iterator[tuple[Link | None, list[tuple[Path, Iterator[bytes]]]]]:
    """Yields the head and the files with their lines, all of one moment: a file of them that is renamed later is read nevertheless."""
    if not folder.exists():
        yield None, []
        return
    with locked(folder, fcntl.LOCK_SH):
        head = read_head(folder)
        *full, current = log_files(folder)
        opened = current.open("rb") if current.exists() else None
        size = 0 if opened is None else os.fstat(opened.fileno()).st_size
    files = [(path, _whole(path)) for path in full]
    if opened is None:
        yield head, files
        return
    with opened:
        yield head, [*files, (current, _lines(opened, size))]


def _whole(path: Path) -> Iterator[bytes]:
    """Yields the lines of a file that is full, and no longer changes."""
    with path.open("rb") as file:
        yield from file


def _start(line: bytes, anchors: Mapping[int, Link]) -> Link:
    """Returns what the first line that is left must follow: the log's beginning, or an anchor.

    An anchor behind it would not do: the hash of this line's own content is of the line before, too.
    """
    number = link_of(line[:-1], None).number
    if number <= 1:
        return START
    if number - 1 not in anchors:
        raise AuditLineError(
            f"lines 1 to {number - 1} are missing; if they were put aside, give line {number - 1} as an anchor"
        )
    return anchors[number - 1]


def _lines(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yields the lines of the first bytes of a file; what is appended meanwhile is left."""
    while size > 0 and (line := file.readline(size)):
        size -= len(line)
        yield line


def read_head(folder: Path) -> Link | None:
    """Returns the last line as it was written down; None if it was not. Raises AuditLineError if that was changed."""
    try:
        head = json.loads((folder / HEAD).read_text())
        return Link(int(head["n"]), str(head["chain"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise AuditLineError(f"{HEAD} is not what it was") from None


def _check_head(head: Link | None, last: Link, *, is_right: bool) -> None:
    """Raises AuditLineError if the head is no line of the log. One that is behind was not written in time."""
    if head is None:
        if last.number > 1:  # the first line may be there without it, after a crash
            raise AuditLineError(f"{HEAD} is missing")
        return
    if head.number > last.number:
        raise AuditLineError(
            f"its end was cut off: line {last.number} is the last one, {head.number} was"
        )
    if not is_right:
        raise AuditLineError(f"line {head.number} is not what it was: {HEAD} has another hash")
