"""What the audit log cannot say of deletions is a doubt: no line of an import or a restore hides one that is missing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from facewire_server.access.audit_log import AuditLog
from facewire_server.access.audit_spans import ranges_of
from facewire_server.access.deletion_log import DeletionLog

BACKUP = 5
BEGUN = {"what": "gallery_found", "revision": BACKUP}


def doubts(folder: Path, *lines: Mapping[str, Any], present: int | None = None) -> list[str]:
    """What is not known of a backup at revision 5, for a gallery that is at the revision of the last line, or at `present`."""
    log = AuditLog(folder)
    for line in lines:
        log.append({"gallery": "staff", **line})
    if present is None:
        present = max(int(line.get("revision", 0)) for line in lines)
    found = DeletionLog(folder)
    found({"staff": present}, {"staff": BACKUP})
    return found.doubts


def made(what: str, revision: int, **fields: Any) -> Mapping[str, Any]:
    return {"what": what, "revision": revision, **fields}


def imported(first: int, last: int) -> Mapping[str, Any]:
    return made("import", last, revisions=[[first, last]])


BEGINS = {"what": "import_begins"}

KNOWN = {
    "a change": [made("enroll", 6)],
    "an import": [BEGINS, imported(6, 9)],
    "changes beside an import": [
        *(BEGINS, made("enroll", 7), made("enroll", 10)),
        made("import", 9, revisions=[[6, 6], [8, 9]]),
    ],
    "an import that added nothing": [BEGINS, {"what": "import"}, made("enroll", 6)],
    "a restore": [made("enroll", 6), made("restore", 40, replaced=6), made("enroll", 41)],
    "lines of several workers in another order": [made("enroll", 7), made("enroll", 6)],
    "a gallery that was deleted and made again": [
        *(made("delete_gallery", 7), made("create_gallery", 30), made("enroll", 31)),
    ],
    "a gallery that was deleted and brought back": [
        *(made("delete_gallery", 6), made("restore", 30)),
    ],
    "a new model": [made("reembed", 6)],
}

MISSING = {
    "before a change": [made("enroll", 7)],
    "before an import": [BEGINS, imported(7, 9)],
    "beside an import": [BEGINS, made("import", 9, revisions=[[6, 6], [8, 9]])],
    "before a restore": [made("restore", 40, replaced=6)],
    "before an earlier version's import": [made("import", 9)],
    "before an earlier version's restore": [made("restore", 40)],
    "before a gallery was found again": [made("gallery_found", 9)],
    "before a gallery was made again": [made("create_gallery", 9)],
}


@pytest.mark.parametrize("lines", KNOWN.values(), ids=KNOWN)
def test_of_changes_that_have_a_line_nothing_is_in_doubt(
    lines: list[Mapping[str, Any]], tmp_path: Path
) -> None:
    assert doubts(tmp_path, BEGUN, *lines) == []


@pytest.mark.parametrize("lines", MISSING.values(), ids=MISSING)
def test_a_line_that_is_missing_is_a_doubt_whatever_comes_after_it(
    lines: list[Mapping[str, Any]], tmp_path: Path
) -> None:
    (doubt,) = doubts(tmp_path, BEGUN, *lines)
    assert "gallery staff: the audit log has no line of the changes from revision" in doubt


def test_an_import_that_was_killed_is_a_doubt(tmp_path: Path) -> None:
    (doubt,) = doubts(tmp_path, BEGUN, BEGINS, present=8)
    assert "no line of the end of an import" in doubt


def test_revisions_are_kept_as_ranges_of_which_a_line_has_room_for_some() -> None:
    assert ranges_of([]) == []
    assert ranges_of([6, 7, 8, 10]) == [(6, 8), (10, 10)]
    assert len(ranges_of(range(1, 1000, 2))) == 64
