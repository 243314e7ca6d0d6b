"""The folder that holds the storage: private to its user, used by one container at a time."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facewire_server.host.private_files import make_private_folder, open_private

__all__ = ["FolderInUse", "FolderLock", "alone_in"]

_LOCK_NAME = "facewire.lock"

_MOST_BYTES = 64
"""Bytes read of the lock file: more than the number of a namespace has digits."""


class FolderInUse(OSError):
    """Another process uses the folder."""


class FolderLock:
    """A shared lock on the folder, for processes of one PID namespace.

    LMDB distinguishes its readers by process id. The processes of two containers may have equal
    ids, so each container would take the other's readers for its own; the lock keeps the
    second container out. The first process writes its namespace into the file, and every
    process keeps a shared lock until it ends.
    """

    def __init__(self, folder: Path) -> None:
        """Makes the folder (mode 0700) if there is none, and takes the lock.

        Raises:
            OSError: the folder cannot be used, or another container uses it.
        """
        make_private_folder(folder)
        self._folder = folder
        self._file = open_private(folder / _LOCK_NAME)
        try:
            self._take(folder)
        except BaseException:
            self.release()
            raise

    def _take(self, folder: Path) -> None:
        namespace = _pid_namespace()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # in use; the file says by which namespace
        else:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, namespace, 0)
        fcntl.flock(self._file, fcntl.LOCK_SH)
        # Read under the shared lock: while it is held, no process can get the exclusive lock and write.
        if os.pread(self._file, _MOST_BYTES, 0) != namespace:
            raise OSError(
                f"the data folder {folder} is in use by another container: "
                "one container a data folder: stop the other server, or give this one a folder of its own"
            )

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Releases the lock for the block, or holds it alone there if no other process holds it; yields whether it is alone.

        Raises:
            OSError: another container took the folder meanwhile.
        """
        fcntl.flock(self._file, fcntl.LOCK_UN)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_alone = True
        except BlockingIOError:
            is_alone = False
        try:
            yield is_alone
        finally:
            if is_alone:
                fcntl.flock(self._file, fcntl.LOCK_SH)
            else:
                self._take(self._folder)

    @property
    def is_read_only(self) -> bool:
        """Whether the disk of the folder takes no writes now; microseconds."""
        # Not statvfs(3): Linux does not show there that ext4 has stopped writes after a fault.
        try:
            os.close(os.open(self._folder / _LOCK_NAME, os.O_WRONLY | os.O_CLOEXEC))
        except OSError as error:
            return error.errno == errno.EROFS
        return False

    def release(self) -> None:
        """Releases the lock."""
        os.close(self._file)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keeps every process out of the folder for the block; raises FolderInUse if one uses it."""
    file = open_private(folder / _LOCK_NAME)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise FolderInUse(f"the folder {folder} is in use by another process") from error
    finally:
        os.close(file)


def _pid_namespace() -> bytes:
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino).encode()
    except OSError:
        return b"the only one"  # systems without PID namespaces
