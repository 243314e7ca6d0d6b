"""What whoever runs a command does about a disk that is full, used up by quota, or read-only."""

import errno
import sqlite3
from typing import Final

__all__ = ["next_step"]

_STEPS: Final = {
    errno.ENOSPC: "; the disk is full: free some room on it, then try again",
    errno.EDQUOT: "; the quota of the disk is used up: free some room in it, then try again",
    errno.EFBIG: "; a file may not become larger here: raise the limit (ulimit -f), then try again",
    errno.EROFS: "; the disk is read-only: make it writable (the kernel's log says why it is not), then try again",
}
"""By the number of the system's error. Nothing on the disk is damaged by any."""

_PRIMARY_CODE: Final = 0xFF
"""The part of SQLite's extended error codes that says which error it is (sqlite.org/rescode.html)."""


def next_step(error: BaseException) -> str:
    """Returns what to add to the text of an error of which a disk is the cause, however far down; "" if none is."""
    cause: BaseException | None = error
    while cause is not None:
        if step := _STEPS.get(_number(cause), ""):
            return step
        cause = cause.__cause__
    return ""


def _number(error: BaseException) -> int:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)  # not of errors of the module itself
        return errno.ENOSPC if code & _PRIMARY_CODE == sqlite3.SQLITE_FULL else 0
    return (error.errno or 0) if isinstance(error, OSError) else 0
