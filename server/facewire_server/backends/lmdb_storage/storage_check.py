"""Has a storage read in another process before it is used here.

LMDB trusts its pages: one that is missing, because the file was cut short, or whose numbers make no sense ends the
process that reads it, by a signal. So another process reads everything once, and a storage that would end the server
is refused with a message instead.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lmdb

from facewire_server.backends.lmdb_storage.generations import file_of, generations, lock_of
from facewire_server.backends.lmdb_storage.growth import Progress, unshown
from facewire_server.backends.lmdb_storage.lock_file import make_lock_file
from facewire_server.errors import GalleryDamaged, StorageBusy, StorageDamaged

__all__ = ["NotChecked", "checked_by", "reporting"]

_FAULTS: Final = (signal.SIGBUS, signal.SIGSEGV, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)
"""What ends a process that reads a damaged storage. Any other signal came from outside: of the kernel, for want of memory, or of an operator."""


_DAMAGED: Final = os.EX_DATAERR
"""The status of a module that has found the storage damaged (sysexits.h). Any other one, such as 1 of an exception that nothing
expects, says nothing about the storage, and nothing is overwritten for it."""

_NOT_CHECKED: Final = os.EX_TEMPFAIL
"""The status of a module that could not read the storage now (sysexits.h)."""

_OTHER_FILE: Final = (lmdb.NotFoundError, lmdb.VersionMismatchError)
"""LMDB's errors of a file that is not what was written: a table is missing, or its first page is of another format. Others, such as of
a map that the machine refuses, say nothing about the file."""


class NotChecked(OSError):
    """The check could not begin or go on, or was ended from outside, so that nothing is known about the storage."""


@contextmanager
def reporting() -> Iterator[None]:
    """Ends a process that `checked_by` runs with the outcome of the block: the storage is damaged, or could not be read now."""
    try:
        yield
    except (GalleryDamaged, StorageDamaged, ValueError) as error:
        print(str(error.__cause__ or error), file=sys.stderr)
        sys.exit(_DAMAGED)
    except (StorageBusy, OSError, MemoryError) as error:
        if isinstance(error.__cause__, _OTHER_FILE):
            print(str(error.__cause__), file=sys.stderr)
            sys.exit(_DAMAGED)
        print(str(error) or "there is no memory", file=sys.stderr)
        sys.exit(_NOT_CHECKED)


def checked_by(module: str, folder: Path, text: str = "", progress: Progress = unshown) -> str:
    """Returns what the module prints that reads the storage in a folder, run in a process of its own; blocks.

    The text is its standard input. Its second argument is a file descriptor, to which it may write shares that are done, a line each.

    Raises:
        OSError: the storage is damaged; the text says why. NotChecked: nothing is known about it.
    """
    try:
        for number in generations(folder):
            make_lock_file(lock_of(file_of(folder, number)))
    except OSError as error:
        raise NotChecked(f"{folder} cannot be checked: {error}") from error
    with _shares_to(progress) as shares:
        # Without a terminal, so that Ctrl-C is for the server only.
        done = subprocess.run(
            [sys.executable, "-m", module, str(folder), str(shares)],
            capture_output=True,
            input=text.encode(),
            check=False,
            pass_fds=(shares,),
        )
    if done.returncode == 0:
        return done.stdout.decode()
    if done.returncode < 0 and -done.returncode not in _FAULTS:
        ended_by = signal.Signals(-done.returncode).name
        raise NotChecked(f"the check of {folder} was ended by {ended_by}")
    reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    if done.returncode > 0 and done.returncode != _DAMAGED:
        raise NotChecked(f"{folder} cannot be checked: {reason}")
    if done.returncode == -signal.SIGBUS:
        reason = "it was cut short"
    elif done.returncode < 0:
        reason = f"reading it ended with {signal.Signals(-done.returncode).name}"
    raise OSError(reason)


@contextmanager
def _shares_to(progress: Progress) -> Iterator[int]:
    """Yields a file descriptor of which each line, a share, goes to `progress`."""
    reading, writing = os.pipe()

    def pass_on() -> None:
        with open(reading, encoding="ascii") as lines:
            for line in lines:
                if line.endswith("\n"):  # else the module was ended in the middle of it
                    progress(float(line))

    passing = threading.Thread(target=pass_on)
    passing.start()
    try:
        yield writing
    finally:
        os.close(writing)
        passing.join()
