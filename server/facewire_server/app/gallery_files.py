"""The command `facewire-server gallery`: backup, restore, verify, compact and stats."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from facewire_server.access.deletion_log import DeletionLog
from facewire_server.app.command_lines import keep_line, keep_revisions
from facewire_server.app.values import crop_keys
from facewire_server.backends.lmdb_gallery.backups import back_up, verify
from facewire_server.backends.lmdb_gallery.deleting_again import DeletedAgain
from facewire_server.backends.lmdb_gallery.erasure import compact
from facewire_server.backends.lmdb_gallery.restores import restore
from facewire_server.backends.lmdb_gallery.stats import statistics_lines
from facewire_server.backends.new_vectors import erase_interrupted
from facewire_server.configuration.settings import Settings
from facewire_server.galleries.deletions import Seen

__all__ = ["run_gallery_command", "show_progress"]

_BAR: Final = 40
"""Characters of the bar of progress."""


def run_gallery_command(
    verb: str,
    path: Path | None,
    settings: Settings,
    *,
    is_replacing: bool = False,
    keeps_deleted: bool = False,
) -> str:
    """Runs a command on the galleries' files, and returns what to print.

    Args:
        verb: "backup", "restore", "verify", "compact" or "stats".
        path: of the backup; for "verify" None means the server's own galleries.
        settings: of the server.
        is_replacing: for "restore": in the place of the galleries that are there.
        keeps_deleted: for "restore": also who was deleted after the backup.

    Raises:
        SettingsError, StorageDamaged, StorageBusy, GalleryFull, OSError: the text says why, and what to do.
    """
    folder = settings.data / "gallery"
    if verb == "compact":

        def keep(begins: bool, fields: Mapping[str, Any]) -> None:
            keep_line(settings, "compact_begins" if begins else "compact", **fields)

        is_erased = compact(folder, keep=keep, progress=show_progress)
        erase_interrupted(settings.data)
        later = "" if is_erased else "; a server still uses the old file and erases it later"
        return f"{folder}: rewritten without what was deleted{later}"
    if verb == "stats":
        return "\n".join(statistics_lines(folder))
    if verb == "verify" or path is None:
        verify(path or folder, crop_keys(settings), progress=show_progress)
        return f"{path or folder}: sound"
    if verb == "backup":
        back_up(folder, path, show_progress)
        keep_line(settings, "backup")
        return f"backup of {folder} in {path}"
    return _restored(path, settings, is_replacing=is_replacing, keeps_deleted=keeps_deleted)


def _restored(path: Path, settings: Settings, *, is_replacing: bool, keeps_deleted: bool) -> str:
    folder = settings.data / "gallery"
    log = DeletionLog(settings.data / "audit")
    replaced: Mapping[str, int] = {}

    def later(present: Mapping[str, int], backup: Mapping[str, int]) -> Seen:
        nonlocal replaced
        replaced = present
        seen = log(present, backup)
        return seen._replace(deleted={}) if keeps_deleted else seen

    begins = partial(keep_line, settings, "restore_begins")
    done = restore(
        *(path, folder),
        is_replacing=is_replacing,
        begins=begins,
        later=later,
        progress=show_progress,
    )
    counts = done.again.counts()
    if not done.again.is_nothing:
        keep_line(settings, "deleted_again", **counts)
    keep_revisions(settings, "restore", replaced)
    if not keeps_deleted:
        _say_doubts(log.doubts, done.again)
    if done.failure is not None:
        raise done.failure
    lines = [f"{path} restored into {folder}"]
    if not done.is_erased:
        lines[0] += "; a server still uses the old file and erases it later"
    if not done.again.is_nothing:
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        lines.append(f"deleted again, as after the backup: {said}")
    return "\n".join(lines)


def _say_doubts(doubts: Sequence[str], again: DeletedAgain) -> None:
    """Says who of those that were deleted after the backup may be back."""
    for doubt in doubts:
        print(
            f"facewire-server: who was deleted after the backup may be back: {doubt}",
            file=sys.stderr,
        )
    for gallery_id, identity_id in again.unclear:
        print(
            f"facewire-server: gallery {gallery_id}: {identity_id} may have templates of a person who was deleted: look at them",
            file=sys.stderr,
        )


def show_progress(share: float) -> None:
    """Draws the bar on a terminal."""
    if sys.stderr.isatty():
        done = round(share * _BAR)
        end = "\n" if share >= 1.0 else ""
        print(f"\r[{'#' * done}{'.' * (_BAR - done)}] {share:4.0%}", end=end, file=sys.stderr)
