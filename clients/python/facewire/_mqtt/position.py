"""A file with the last event that was published, so that a bridge that starts again goes on there."""

import os
from pathlib import Path

__all__ = ["Position"]

_MOST_DIGITS = 19
"""Digits of the largest number that an event has: below 2^63."""


class Position:
    """The number of an event, and nothing else, in a file."""

    def __init__(self, path: Path | None) -> None:
        """Takes the file; None: the position is not kept."""
        self._path = path

    def read(self) -> int:
        """Returns the last event that was published; 0 if none is noted.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file holds something else.
        """
        if self._path is None or not self._path.exists():
            return 0
        text = self._path.read_text(encoding="ascii", errors="replace").strip()
        if not text.isdecimal() or len(text) > _MOST_DIGITS:
            raise ValueError(f"{self._path} does not hold the number of an event")
        return int(text)

    def note(self, event_id: int) -> None:
        """Writes the number in place of the one before, whole or not at all.

        Raises:
            OSError: the file cannot be written.
        """
        if self._path is None:
            return
        written = self._path.with_name(f"{self._path.name}.new")
        written.write_text(f"{event_id}\n", encoding="ascii")
        os.replace(written, self._path)
