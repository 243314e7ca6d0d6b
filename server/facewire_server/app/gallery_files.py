"""The command `facewire-server gallery`: backup, restore, verify, compact and stats."""

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from facewire_server.app.command_lines import keep_line, keep_revisions
from facewire_server.app.values import crop_keys
from facewire_server.backends.lmdb_gallery.backups import back_up, restore, verify
from facewire_server.backends.lmdb_gallery.erasure import compact
from facewire_server.backends.lmdb_gallery.stats import statistics_lines
from facewire_server.backends.lmdb_storage.erasing import NotErased
from facewire_server.backends.new_vectors import erase_interrupted
from facewire_server.configuration.settings import Settings

__all__ = ["run_gallery_command", "show_progress"]

_BAR: Final = 40
"""Characters of the bar of progress."""


def run_gallery_command(
    verb: str, path: Path | None, settings: Settings, *, is_replacing: bool = False
) -> str:
    """Runs a command on the galleries' files, and returns what to print.

    Args:
        verb: "backup", "restore", "verify", "compact" or "stats".
        path: of the backup; for "verify" None means the server's own galleries.
        settings: of the server.
        is_replacing: for "restore": in the place of the galleries that are there.

    Raises:
        SettingsError, StorageDamaged, StorageBusy, GalleryFull, OSError: the text says why, and what to do.
    """
    folder = settings.data / "gallery"
    if verb == "compact":

        def keep(begins: bool, fields: Mapping[str, Any]) -> None:
            keep_line(settings, "compact_begins" if begins else "compact", **fields)

        is_erased = compact(folder, keep=keep)
        erase_interrupted(settings.data)
        later = "" if is_erased else "; a server still uses the old file and erases it later"
        return f"{folder}: rewritten without what was deleted{later}"
    if verb == "stats":
        return "\n".join(statistics_lines(folder))
    if verb == "verify" or path is None:
        verify(path or folder, crop_keys(settings))
        return f"{path or folder}: sound"
    if verb == "backup":
        back_up(folder, path, show_progress)
        keep_line(settings, "backup")
        return f"backup of {folder} in {path}"
    begins = partial(keep_line, settings, "restore_begins")
    try:
        is_erased = restore(path, folder, is_replacing=is_replacing, begins=begins)
    except NotErased:
        keep_revisions(settings, "restore")
        raise
    keep_revisions(settings, "restore")
    later = "" if is_erased else "; a server still uses the old file and erases it later"
    return f"{path} restored into {folder}{later}"


def show_progress(share: float) -> None:
    """Draws the bar on a terminal."""
    if sys.stderr.isatty():
        done = round(share * _BAR)
        end = "\n" if share >= 1.0 else ""
        print(f"\r[{'#' * done}{'.' * (_BAR - done)}] {share:4.0%}", end=end, file=sys.stderr)
