"""Prints what the client logs as the command's own lines on stderr, above a progress display."""

import contextlib
import logging
from collections.abc import Iterator

from facewire.cli._output import ERRORS

__all__ = ["log_on_stderr"]


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # the reader of stderr has gone
            ERRORS.print(f"facewire: {record.getMessage()}")


@contextlib.contextmanager
def log_on_stderr() -> Iterator[None]:
    """Prints warnings of the logger "facewire": a camera that is waited for, and why."""
    log, lines = logging.getLogger("facewire"), _Lines()
    log.addHandler(lines)
    try:
        yield
    finally:
        log.removeHandler(lines)
