"""Files that leave nothing behind: one a track, readable by their owner only, overwritten before they are removed."""

import contextlib
import os
import secrets
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from facewire_server.host.overwriting import overwrite
from facewire_server.host.private_files import make_private_folder, open_private

__all__ = ["ErasableFiles"]

_SETTLED_S: Final = 60.0
"""Age of a file without an entry from which on it belongs to no write in progress. Chosen, not measured."""


class ErasableFiles:
    """A folder of files about tracks, shared by several processes."""

    def __init__(self, folder: Path, suffix: str) -> None:
        """Takes the folder, which `write` makes, and what the files' names end with."""
        self._folder = folder
        self._suffix = suffix

    def states(self) -> dict[int, tuple[int, int]]:
        """Returns the files by track, each with numbers that another content changes: its inode and its time of change, ns."""
        found: dict[int, tuple[int, int]] = {}
        with contextlib.suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                if path.suffix == self._suffix and path.stem.isdecimal():
                    with contextlib.suppress(FileNotFoundError):
                        state = path.stat()
                        found[int(path.stem)] = state.st_ino, state.st_mtime_ns
        return found

    def read(self, track_id: int) -> bytes | None:
        """Returns the content of a file; None if there is none."""
        try:
            return self._path(track_id).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, track_id: int, data: bytes) -> None:
        """Writes a file in place of the track's earlier one.

        Raises:
            OSError: the disk has no room, or the folder cannot be used.
        """
        make_private_folder(self._folder)
        new, old = self._aside(track_id, ".new"), self._aside(track_id, ".old")
        try:
            with open(open_private(new, os.O_WRONLY | os.O_EXCL), "wb") as file:
                file.write(data)
            with contextlib.suppress(FileNotFoundError):
                # New, for a moment: else another process could take the second name for a stray, and overwrite both.
                os.utime(self._path(track_id))
                old.hardlink_to(self._path(track_id))
            new.replace(self._path(track_id))
        finally:
            _erase(new)  # if it failed
            _erase(old)

    def erase(self, track_ids: Collection[int]) -> None:
        """Overwrites and removes files; one that is not there is passed over."""
        for track_id in track_ids:
            old = self._aside(track_id, ".old")
            # First: who reads it meanwhile finds a whole file or none.
            with contextlib.suppress(FileNotFoundError):
                self._path(track_id).rename(old)
            _erase(old)

    def erase_strays(self, kept: Collection[int]) -> None:
        """Erases what a process left behind that was killed: files of other tracks, and those that were put aside."""
        names = {self._path(track_id).name for track_id in kept}
        settled_s = time.time() - _SETTLED_S
        with contextlib.suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if path.name not in names and path.stat().st_mtime < settled_s:
                        _erase(path)

    def erase_all(self) -> None:
        """Erases everything in the folder."""
        with contextlib.suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                _erase(path)

    def _path(self, track_id: int) -> Path:
        return self._folder / f"{track_id}{self._suffix}"

    def _aside(self, track_id: int, suffix: str) -> Path:
        return self._folder / f"{track_id}.{secrets.token_hex(4)}{suffix}"


def _erase(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        overwrite(path)
        path.unlink()
