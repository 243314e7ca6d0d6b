"""Makes files and folders that their owner alone may use, and that belong to whoever owns the folder around them.

A command that the superuser runs on a service's data folder would otherwise leave files that the service cannot open. The service's
user may try to be given another file by it, so no link is followed.
"""

import os
import secrets
import stat
from contextlib import suppress
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
        # Under another name first: a server that finds the file can open it.
        if flags & os.O_EXCL or not os.path.lexists(path):
            beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            file = os.open(beside, flags | os.O_CREAT | os.O_EXCL, _MODE)
            try:
                _give(file, folder)
                os.link(beside, path)
            except BaseException as error:
                os.close(file)
                if isinstance(error, FileExistsError) and not flags & os.O_EXCL:
                    continue
                raise
            finally:
                beside.unlink()
            return file
        with suppress(FileNotFoundError):  # it was removed since
            file = os.open(path, flags)
            try:
                _give(file, folder)
            except BaseException:
                os.close(file)
                raise
            return file


def make_private_folder(folder: Path) -> None:
    """Makes a folder (mode 0700), and those above it (the mode of new folders), if there are none.

    Their names are on the disk then: one that is not takes all that is written below it along.

    Raises:
        OSError: it cannot be made, or not be brought to the disk; or something else has its name.
    """
    missing = [folder, *folder.parents]
    missing = missing[: next(n for n, one in enumerate(missing) if one.is_dir())]
    for one in reversed(missing):
        try:
            one.mkdir(_FOLDER_MODE if one is folder else _NEW_MODE)
        except FileExistsError:
            if not one.is_dir():  # else another process has made it meanwhile
                raise
        around = one.parent.stat()
        if _must_give(around):
            file = os.open(one, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.fchown(file, around.st_uid, around.st_gid)
            finally:
                os.close(file)
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


def _give(file: int, folder: os.stat_result) -> None:
    found = os.fstat(file)
    # A file of several names may be one of another folder.
    if found.st_uid == _SUPERUSER and found.st_nlink == 1 and stat.S_ISREG(found.st_mode):
        os.fchown(file, folder.st_uid, folder.st_gid)
