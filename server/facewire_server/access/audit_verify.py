"""Checks an audit log: finds the first line that was changed, removed, inserted or moved, and an end that was cut off.

What it cannot find by itself: an end that was cut off, or replaced, together with the file of the head, by someone who computed all
hashes again. For that a link is kept where they cannot write: an anchor must still be in the log.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from facewire_server.access.audit_lines import START, AuditLineError, Link, link_of
from facewire_server.access.audit_log import HEAD, log_files

__all__ = ["Verified", "verify"]


@dataclass(frozen=True, slots=True)
class Verified:
    """A log that was found whole.

    Attributes:
        last: its last line; an anchor of later verifications.
        cut_bytes: of a line at its end that a crash cut short; the next one to append removes them.
    """

    last: Link
    cut_bytes: int


def verify(folder: Path, anchors: Collection[Link] = ()) -> Verified:
    """Reads the log in a folder.

    Args:
        folder: of the log.
        anchors: lines that the log had before. Of files that were taken away the last line must be one.

    Raises:
        AuditLineError: the log is not whole; the text names file and line.
        OSError: it cannot be read.
    """
    last, cut_bytes = START, 0
    missing = {anchor.number: anchor for anchor in anchors if anchor != START}
    is_first = True
    for path in log_files(folder):
        if not path.exists():
            continue
        if cut_bytes:
            raise AuditLineError(f"{path.name}: the file before it ends in the middle of a line")
        for number, line in enumerate(_lines(path), start=1):
            if not line.endswith(b"\n"):
                cut_bytes = len(line)
                continue
            try:
                if is_first:
                    last = _start(line, missing)
                    missing = {one: link for one, link in missing.items() if one > last.number}
                last = link_of(line[:-1], last)
            except AuditLineError as error:
                raise AuditLineError(f"{path.name}, line {number}: {error}") from None
            is_first = False
            if missing.get(last.number) == last:
                del missing[last.number]
    if missing:
        raise AuditLineError(
            f"line {min(missing)} is not what it was: the log was replaced, or its end was cut off"
        )
    _check_head(folder, last)
    return Verified(last, cut_bytes)


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


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _check_head(folder: Path, last: Link) -> None:
    """Raises AuditLineError if the head is beyond the log's end: it was cut off. A head that is behind was not written in time."""
    try:
        head = json.loads((folder / HEAD).read_text())
        number, chain = head["n"], head["chain"]
    except FileNotFoundError:
        if last.number > 1:  # the first line may be there without it, after a crash
            raise AuditLineError(f"{HEAD} is missing") from None
        return
    except (ValueError, KeyError, TypeError):
        raise AuditLineError(f"{HEAD} is not what it was") from None
    if number > last.number:
        raise AuditLineError(
            f"its end was cut off: line {last.number} is the last one, {number} was"
        )
    if number == last.number and chain != last.chain:
        raise AuditLineError(f"line {last.number} is not what it was: {HEAD} has another hash")
