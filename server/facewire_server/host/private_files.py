"""Makes files and folders that their owner alone may use, and that belong to whoever owns the folder around them.

A command that the superuser runs on a service's data folder would otherwise leave files that the service cannot open. The service's
user may try to be given another file by it, so no link is followed.

What is new is made as the service's user (setfsuid(2), of this thread alone): it is the service's from its first moment, and a command
that is killed leaves neither a file that the service cannot open nor one under another name. O_TMPFILE would do so for files alone, and
not on every file system.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from facewire_server.host.disk import sync_path

__all__ = ["make_private_folder", "open_private"]

_MODE: Final = 0o600
"""Of a file: its owner reads and writes it."""

_FOLDER_MODE: Final = 0o700
"""Of a folder, for the same reason."""

_NEW_MODE: Final = 0o777
"""Of a folder above it: what the umask leaves of this."""

_SUPERUSER: Final = 0
"""The user who may give files away (POSIX)."""

_NO_ONE: Final = -1
"""No id of a user or group (POSIX, chown(2))."""


def open_private(path: Path, flags: int = os.O_RDWR) -> int:
    """Opens a file, and makes it (mode 0600) if there is none; returns its descriptor.

    A file that an earlier version has left to the superuser gets its owner, too.

    Args:
        path: of the file, in a folder that exists.
        flags: of open(2); with O_EXCL there must be no file.

    Raises:
        FileExistsError: with O_EXCL: there is one.
        OSError: it cannot be made or opened, or is a symbolic link.
    """
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    folder = path.parent.stat()
    if not _must_give(folder):
        return os.open(path, flags | os.O_CREAT, _MODE)
    while True:
        if not flags & os.O_EXCL:
            with suppress(FileNotFoundError):
                return _given(path, flags, folder)
        try:
            with _as_owner_of(path.parent) as around:
                made = flags | os.O_CREAT | os.O_EXCL
                return os.open(path.name, made, _MODE, dir_fd=around)
        except FileExistsError:  # another process has made it meanwhile
            if flags & os.O_EXCL:
                raise


def make_private_folder(folder: Path) -> None:
    """Makes a folder (mode 0700), and those above it (the mode of new folders), if there are none.

    Their names are on the disk then: one that is not takes all that is written below it along.

    Raises:
        OSError: it cannot be made, or not be brought to the disk; or something else has its name.
    """
    missing = [folder, *folder.parents]
    missing = missing[: next(n for n, one in enumerate(missing) if one.is_dir())]
    for one in reversed(missing):
        mode = _FOLDER_MODE if one is folder else _NEW_MODE
        try:
            if _must_give(one.parent.stat()):
                with _as_owner_of(one.parent) as around:
                    os.mkdir(one.name, mode, dir_fd=around)
            else:
                one.mkdir(mode)
        except FileExistsError:
            if not one.is_dir():  # else another process has made it meanwhile
                raise
        try:
            sync_path(one.parent)
        except OSError:
            with suppress(
                OSError
            ):  # so that the next call makes it, and waits again; unless another process uses it
                one.rmdir()
            raise


def _must_give(folder: os.stat_result) -> bool:
    return os.geteuid() == _SUPERUSER != folder.st_uid


@contextmanager
def _as_owner_of(folder: Path) -> Iterator[int]:
    """Opens a folder; what this thread makes in the block belongs to the folder's owner. Yields the folder's descriptor.

    The owner need not reach the folder by its path, so what is made is to be named relative to the descriptor (openat(2)).
    """
    around = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        owner = os.fstat(around)
        try:
            _act_as(owner.st_uid, owner.st_gid)
            yield around
        finally:
            _act_as(_SUPERUSER, os.getegid())
    finally:
        os.close(around)


def _act_as(user: int, group: int) -> None:
    """Sets whom this thread's new files belong to; raises PermissionError if the process may not."""
    libc = ctypes.CDLL(None)
    libc.setfsuid.restype = libc.setfsgid.restype = ctypes.c_uint
    # Of the group first: afterwards the thread has no right of the superuser.
    libc.setfsgid(group)
    libc.setfsuid(user)
    # They return no error, but who it was before; an id that no one has changes nothing.
    if (libc.setfsuid(_NO_ONE), libc.setfsgid(_NO_ONE)) != (user, group):
        raise PermissionError(errno.EPERM, "may not make files of another user")


def _given(path: Path, flags: int, folder: os.stat_result) -> int:
    file = os.open(path, flags)
    try:
        _give(file, folder)
    except BaseException:
        os.close(file)
        raise
    return file


def _give(file: int, folder: os.stat_result) -> None:
    found = os.fstat(file)
    # A file of several names may be one of another folder.
    if found.st_uid == _SUPERUSER and found.st_nlink == 1 and stat.S_ISREG(found.st_mode):
        os.fchown(file, folder.st_uid, folder.st_gid)
