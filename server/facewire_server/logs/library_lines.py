"""Captures what libraries in C write to standard error, line by line.

gRPC reports TLS handshakes there, libjpeg and libpng every damaged picture: without a limit, and
without a switch for most of it. A client could fill the disk with that and break lines of JSON.
"""

import faulthandler
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Final, TextIO

__all__ = ["library_lines"]

_STDERR: Final = 2
"""POSIX's file descriptor of standard error; C libraries write to it without Python's `sys.stderr`."""

_MAX_LINE_BYTES: Final = 2000
"""Most bytes of a line; the rest of a longer line is the next line. Chosen, not measured."""


@contextmanager
def library_lines(on_line: Callable[[str], None]) -> Iterator[TextIO]:
    """Passes on what anything in this process writes to file descriptor 2 during the block.

    What comes faster than it is read is lost: the pipe is full then (64 KiB by Linux's default), and the writer's write
    fails, of which this process learns nothing. So no counter has these lines, and a line may be cut.

    A crash ends the process before its last lines are passed on; so Python's stacks of a crash
    (`faulthandler`) go to the real standard error.

    Args:
        on_line: takes a line, in a separate thread.

    Yields:
        The real standard error.
    """
    sys.stderr.flush()
    real = os.fdopen(os.dup(_STDERR), "w", buffering=1, errors="backslashreplace")
    faulthandler.enable(real)
    read_end, write_end = os.pipe()
    # Lines of a library that writes faster than they are read are lost: the library must not wait.
    os.set_blocking(write_end, False)
    os.dup2(write_end, _STDERR)
    os.close(write_end)
    reader = Thread(target=_read, args=(read_end, on_line), name="library lines", daemon=True)
    reader.start()
    try:
        yield real
    finally:
        sys.stderr.flush()
        os.dup2(real.fileno(), _STDERR)  # closes the last writing end: the reader ends
        reader.join()


def _read(read_end: int, on_line: Callable[[str], None]) -> None:
    with os.fdopen(read_end, "rb") as lines:
        while line := lines.readline(_MAX_LINE_BYTES):
            if text := line.decode(errors="replace").rstrip():
                on_line(text)
