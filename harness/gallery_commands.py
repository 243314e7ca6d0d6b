"""`facewire-server gallery backup` and `compact` beside running servers, finished or killed."""

import os
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Final

from harness import REPOSITORY

__all__ = ["Beside", "GalleryCommand"]


class Beside(Enum):
    """The command that runs beside the servers."""

    BACKUP = "backup"
    COMPACT = "compact"


_BUSY: Final = ("another process rewrites the storage", "the storage grew while it was rewritten")
"""What `compact` says if servers rewrite the storage, or write to it, at the same moment: nothing has happened."""


class GalleryCommand:
    """One of the commands, in a process of its own."""

    def __init__(self, beside: Beside, data: Path, into: Path) -> None:
        """Starts it.

        Args:
            beside: which.
            data: the servers' data folder.
            into: folder of a backup.
        """
        self.beside = beside
        self.into = into
        words = [beside.value, *([str(into)] if beside is Beside.BACKUP else [])]
        path = os.pathsep.join(str(REPOSITORY / room) for room in ("server", "clients/python"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "facewire_server", "gallery", *words, "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def kill(self) -> bool:
        """Ends it as a power cut would; returns False if it had ended."""
        was_running = self._process.poll() is None
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return was_running

    def wait(self) -> str:
        """Waits for its end; returns what it complained of, "" if it succeeded, or servers were in its way."""
        assert self._process.stdout is not None
        text = self._process.stdout.read()
        is_busy = any(one in text for one in _BUSY)
        return text if self._process.wait() and not is_busy else ""

    @property
    def parts(self) -> list[Path]:
        """The folders that a backup may have left: the backup, and what becomes one."""
        return [
            one
            for one in (self.into, self.into.with_name(f"{self.into.name}.part"))
            if one.exists()
        ]
