"""Reads in the audit log who was deleted after a backup, as far as the log can say it, and why it may lack a person."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from facewire_server.access.audit_lines import AuditLineError, Link, link_of
from facewire_server.access.audit_log import CURRENT, locked, log_files
from facewire_server.access.audit_revisions import Logged
from facewire_server.access.audit_spans import Span, gap_after, spans_of
from facewire_server.access.audit_verify import read_head
from facewire_server.galleries.deletions import LoggedChange, Seen, deleted_after

__all__ = ["DeletionLog"]

_LINE_S: Final = 2.0
"""Seconds in which a running server writes the line of a change that it has made. Chosen, not measured: milliseconds as a rule."""

_LOOK_S: Final = 0.05
"""Seconds between two looks: no gallery takes a write meanwhile. Chosen, not measured."""

_MOVES: Final = frozenset(
    (
        *("delete_gallery", "delete_identity", "delete_template", "delete_negative_example"),
        *("merge_identities", "split_identity", "restore"),
    )
)
"""Actions of `LoggedChange`."""


class DeletionLog:
    """A `galleries.deletions.LaterDeletions` that reads the log in a folder.

    Lines that can be read count, also of a log that was changed: who was deleted is deleted again rather than back.

    Attributes:
        doubts: after a call, why deletions may be missing, for people; empty = all are known.
    """

    def __init__(self, folder: Path) -> None:
        """Reads the log as it is now, so that a call has only what comes later left to read; raises OSError."""
        self._folder = folder
        self.doubts: list[str] = []
        self._full_files: set[str] = set()
        self._last: Link | None = None
        self._damage = ""
        self._logged = Logged()
        self._changes: dict[str, set[LoggedChange]] = {}
        self._spans: dict[str, set[Span]] = {}
        self._number = 0
        self._read()

    def __call__(self, present: Mapping[str, int], backup: Mapping[str, int]) -> Seen:
        """See `LaterDeletions`; waits a moment for lines of the present revisions."""
        ends_at_s = time.monotonic() + _LINE_S
        self._read()
        while self._spans and self._logged.missing(present) and time.monotonic() < ends_at_s:
            time.sleep(_LOOK_S)
            self._read()
        deleted = {
            gallery_id: deleted_after(self._changes.get(gallery_id, ()), revision)
            for gallery_id, revision in backup.items()
        }
        self.doubts = list(self._doubts(present, backup))
        for gallery_id, one in deleted.items():
            if one.unknown_count:
                self.doubts.append(
                    f"gallery {gallery_id}: of {one.unknown_count} deletions or corrections the audit log does not say of whom"
                )
        return Seen(deleted, max(self._logged.revisions.values(), default=0), self._number)

    def _doubts(self, present: Mapping[str, int], backup: Mapping[str, int]) -> Iterator[str]:
        if not self._spans:
            yield f"there is no audit log in {self._folder}"
            return
        if damage := self._damage or self._cut_end():
            yield f"the audit log in {self._folder} is damaged: {damage}"
        for gallery_id, text in self._logged.missing(present).items():
            yield f"gallery {gallery_id}: {text}"
        for gallery_id in sorted(self._logged.imports & present.keys()):
            if present[gallery_id] > self._logged.revisions.get(gallery_id, 0):
                yield f"gallery {gallery_id}: the audit log has no line of the end of an import into it"
        for gallery_id, revision in backup.items():
            spans = self._spans.get(gallery_id, ())
            if present.get(gallery_id) != revision and (gap := gap_after(spans, revision)):
                yield f"gallery {gallery_id}: {gap}"

    def _cut_end(self) -> str:
        try:
            head = read_head(self._folder)
        except (AuditLineError, OSError) as error:
            return str(error)
        last = 0 if self._last is None else self._last.number
        return "its end was cut off" if head is not None and head.number > last else ""

    def _read(self) -> None:
        """Reads the files that were not there, or not full, the last time."""
        if not self._folder.exists():
            return
        with ExitStack() as stack:
            with locked(self._folder, fcntl.LOCK_SH):
                left = [one for one in log_files(self._folder) if one.name not in self._full_files]
                opened = [stack.enter_context(one.open("rb")) for one in left if one.exists()]
                sizes = [os.fstat(one.fileno()).st_size for one in opened]
            for file, size in zip(opened, sizes, strict=True):
                for line in file.read(size).splitlines(keepends=True):
                    if line.endswith(b"\n"):  # else it was never acknowledged
                        self._take(line)
            self._full_files.update(one.name for one in left if one.name != CURRENT)

    def _take(self, line: bytes) -> None:
        try:
            link = link_of(line[:-1], None)
        except AuditLineError as error:
            self._damage = self._damage or str(error)
            return
        if self._last is not None:
            if link.number <= self._last.number:  # it was read before
                return
            try:
                link_of(line[:-1], self._last)
            except AuditLineError as error:
                self._damage = self._damage or str(error)
        self._last = link
        self._logged.take(line)
        self._note(json.loads(line))

    def _note(self, fields: Mapping[str, Any]) -> None:
        gallery_id, action, revision = (fields.get(one) for one in ("gallery", "what", "revision"))
        numbers = [
            number if isinstance(number := fields.get(one), int) else None
            for one in ("record", "other_record", "template")
        ]
        self._number = max(self._number, *(one or 0 for one in numbers))
        if not (isinstance(gallery_id, str) and isinstance(action, str)):
            return
        if isinstance(revision, int):
            self._spans.setdefault(gallery_id, set()).update(spans_of(action, revision, fields))
            if action in _MOVES:
                change = LoggedChange(action, revision, *numbers)
                self._changes.setdefault(gallery_id, set()).add(change)
