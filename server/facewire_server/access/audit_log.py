"""The audit log: a folder of files to which several processes append lines, each on the disk before its call is answered.

    audit.jsonl           the lines now; when it is full it becomes audit-0000000123.jsonl, by the number of its first line
    audit-....jsonl       those before, which are never written again
    head.json             the last line's number and hash, for `verify` to find a cut end

The folder is locked (flock) for each line. A line that a crash cut short was never acknowledged: it is removed by the next one to append.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from facewire_server.access.audit_lines import (
    MAX_LINE_BYTES,
    START,
    AuditLineError,
    Link,
    line_after,
    link_of,
)
from facewire_server.host.private_files import make_private_folder, open_private

__all__ = ["CURRENT", "HEAD", "AuditLog", "locked", "log_files"]

CURRENT: Final = "audit.jsonl"
"""The file that lines are appended to."""

HEAD: Final = "head.json"
"""The file of the last line's number and hash."""

_ROTATE_BYTES: Final = 16 << 20
"""Bytes from which a new file is begun: about 50,000 lines. Chosen, not measured: an editor still opens it."""


class AuditLog:
    """Appends lines to the log in a folder. Blocks; for any thread and any number of processes."""

    def __init__(self, folder: Path, *, rotate_bytes: int = _ROTATE_BYTES) -> None:
        """Makes the folder if there is none; raises OSError."""
        self._folder = folder
        self._rotate_bytes = rotate_bytes
        self._are_names_synced = False
        make_private_folder(folder)

    @property
    def is_empty(self) -> bool:
        """Whether it has no line yet."""
        return not any(path.exists() for path in log_files(self._folder))

    def append(self, fields: Mapping[str, Any]) -> Link:
        """Appends a line with the time and these fields; it is on the disk when this returns.

        Raises:
            OSError: it cannot be written; nothing of it stays in the log.
            AuditLineError: what is at the log's end is not a line of it: the log was changed.
        """
        with locked(self._folder, fcntl.LOCK_EX) as folder:
            path = self._folder / CURRENT
            file = open_private(path)
            try:
                before, size = self._end(file)
                if size >= self._rotate_bytes:
                    # Renamed and not copied: the lines stay where they are, and a reader that has the file open reads on.
                    path.rename(self._folder / f"audit-{_first_number(file):010d}.jsonl")
                    os.close(file)
                    file = open_private(path, os.O_RDWR | os.O_EXCL)
                    size = 0
                now = datetime.now(UTC).isoformat(timespec="microseconds")
                line, link = line_after(before, {"at": now, **fields})
                try:
                    _write(file, line, size)
                    # Once at least: a process that was killed, or whose wait failed, may have left a name that is not on the disk.
                    if not self._are_names_synced or not size:
                        os.fsync(folder)
                        self._are_names_synced = True
                except OSError:
                    os.ftruncate(file, size)
                    raise
                self._keep_head(link)
                return link
            finally:
                os.close(file)

    def _end(self, file: int) -> tuple[Link, int]:
        """Returns the last line, and the bytes of the file without one that was cut short."""
        size = os.fstat(file).st_size
        tail = os.pread(file, 2 * MAX_LINE_BYTES, max(0, size - 2 * MAX_LINE_BYTES))
        whole, line_break, _ = tail.rpartition(b"\n")
        if not line_break:
            if len(tail) < size:
                raise AuditLineError("its last line is longer than any line of an audit log")
            os.ftruncate(file, 0)
            return self._last_of_those_before(), 0
        cut = len(tail) - len(whole) - 1
        if cut:
            os.ftruncate(file, size - cut)
        return link_of(whole.rpartition(b"\n")[2], None), size - cut

    def _last_of_those_before(self) -> Link:
        """Returns the last line of the newest file that is full; START if there is none."""
        files = log_files(self._folder)[:-1]
        if not files:
            return START
        return link_of(files[-1].read_bytes().rstrip(b"\n").rpartition(b"\n")[2], None)

    def _keep_head(self, link: Link) -> None:
        """Not by way of the disk: after a power cut it is behind the log, which `verify` allows."""
        beside = self._folder / f".{HEAD}"
        with suppress(OSError):  # the line is kept, and is not to be taken for one that is not
            with open(open_private(beside, os.O_WRONLY | os.O_TRUNC), "w") as opened:
                opened.write(json.dumps({"n": link.number, "chain": link.chain}) + "\n")
            beside.replace(self._folder / HEAD)


@contextmanager
def locked(folder: Path, how: int) -> Iterator[int]:
    """Locks a log's folder for the block, and yields its file descriptor.

    Args:
        folder: of the log.
        how: fcntl.LOCK_EX to append, LOCK_SH to see which files there are.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, how)
        yield opened
    finally:
        os.close(opened)


def log_files(folder: Path) -> list[Path]:
    """Returns the files of a log in the order of their lines, the present one last; it need not exist."""
    return [*sorted(folder.glob("audit-*.jsonl")), folder / CURRENT]


def _first_number(file: int) -> int:
    return link_of(os.pread(file, MAX_LINE_BYTES, 0).partition(b"\n")[0], None).number


def _write(file: int, line: bytes, at: int) -> None:
    left = memoryview(line)
    while left:
        written = os.pwrite(file, left, at)
        left, at = left[written:], at + written
    os.fdatasync(file)
