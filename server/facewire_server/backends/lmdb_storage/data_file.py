"""The file of a storage: looked at before LMDB maps it, and again before each transaction.

LMDB trusts the length of its file: a page that the map has and the file has not ends the process that reads it, by SIGBUS; and
of an empty file LMDB makes a new storage.

Each process that uses the file holds a shared lock on it (flock; LMDB's own are on its lock file), so that whoever gets the
exclusive lock knows that no process uses it any longer.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import Final

from facewire_server.backends.lmdb_storage.free_pages import NotATree, read_free_pages
from facewire_server.backends.lmdb_storage.meta_pages import (
    META_BYTES,
    Meta,
    newest,
    page_bytes_of,
)
from facewire_server.errors import StorageBusy, StorageDamaged

__all__ = ["DataFile", "FileGone"]

_TRIES: Final = 10
"""Looks at a file to which another process writes meanwhile. Chosen, not measured."""

_LOOK_S: Final = 0.001
"""Seconds between two of them. Chosen, not measured."""

_REMEDY: Final = "restore it from a backup"
"""What every text ends with."""


class FileGone(OSError):
    """The file is being erased, or another one has taken its place: a later generation holds the storage."""


class DataFile:
    """A storage's file, open for as long as the storage is.

    A file that LMDB has written never gets shorter, so a length below one that was seen is damage; the map does not show it.
    """

    def __init__(self, path: Path, storage: str) -> None:
        """Opens the file and compares its two meta pages with each other, with its free pages, and with its length.

        Args:
            path: of a file that exists.
            storage: its name, for the texts of errors.

        Raises:
            StorageDamaged: it is empty, cut short, or a meta page is damaged; the text says which, and names the file.
            FileGone: it is being erased.
            StorageBusy: another process writes to it all the time.
            OSError: it cannot be read.
        """
        self._storage = storage
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._share(path)
            meta = self._checked(path)
            self.page_bytes = meta.page_bytes
            self._bytes = self._length()
            self.reach(meta.last_page)
        except BaseException:
            self.close()
            raise

    def _share(self, path: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileGone(f"{path} is being erased") from error
        try:
            is_same = os.path.samestat(os.fstat(self._file), path.stat())
        except FileNotFoundError:
            is_same = False
        if not is_same:
            raise FileGone(f"{path} was erased")

    def _checked(self, path: Path) -> Meta:
        for _ in range(_TRIES):
            if not self._length():
                raise _damaged(path, "is empty")
            pages = self._meta_pages()
            meta = newest(*pages)
            fault = "is damaged: a meta page is not one" if meta is None else self._fault(meta)
            if meta is not None and not fault:
                return meta
            # What a commit has replaced is written to again by the third one after it.
            later = self._meta_pages()
            following = newest(*later)
            is_next = meta and following and following.transaction == meta.transaction + 1
            if later == pages or is_next:
                raise _damaged(path, fault)
            time.sleep(_LOOK_S)
        if meta is None:
            raise StorageBusy(f"{self._storage} is written to by another process; try again")
        # Another process commits faster than the file can be read. It has looked at it when it opened it.
        return meta

    def _meta_pages(self) -> tuple[bytes, bytes]:
        # Each page on its own: a storage's page is as large as the system's, and the first one says so.
        first = os.pread(self._file, META_BYTES, 0)
        return first, os.pread(self._file, META_BYTES, page_bytes_of(first))

    def _fault(self, meta: Meta) -> str:
        """Returns what contradicts a meta page in the rest of the file, or ""."""
        # After the meta page: what it speaks of was written before it.
        length = self._length()
        needed = (meta.last_page + 1) * meta.page_bytes
        cut_short = f"is cut short: {length} bytes of at least {needed}" if length < needed else ""
        try:
            free = read_free_pages(self._file, meta)
        except NotATree:
            return cut_short or "is damaged: its free pages are not listed"
        if not free.pages.issuperset(range(length // meta.page_bytes, meta.last_page + 1)):
            return cut_short
        is_of_one_commit = free.newest in (0, meta.transaction) and free.pages.isdisjoint(
            (meta.root, meta.free_root)
        )
        if not is_of_one_commit or max(free.pages, default=0) > meta.last_page:
            return "is damaged: a meta page was written in part"
        return ""

    def require_whole(self) -> None:
        """Raises StorageDamaged if the file has become shorter, now or earlier. Less than a microsecond."""
        # Read before the file is: another thread may notice meanwhile that it has grown.
        known = self._bytes
        length = self._length()
        if length < known:
            raise StorageDamaged(f"{self._storage} is damaged: its file was cut short; {_REMEDY}")
        self._bytes = length

    @property
    def is_whole(self) -> bool:
        """Whether `require_whole` raises nothing."""
        known = self._bytes
        return self._length() >= known

    def reach(self, last_page: int) -> None:
        """Makes the file as long as its pages say: LMDB does not write a page that was taken and freed in one transaction.

        The transaction is committed, so a full disk is no failure of it.
        """
        end = (last_page + 1) * self.page_bytes
        if self._length() < end:
            with contextlib.suppress(OSError):
                os.posix_fallocate(self._file, end - 1, 1)  # never makes it shorter

    def close(self) -> None:
        """Closes the file; its lock is another one's."""
        os.close(self._file)

    def _length(self) -> int:
        return os.fstat(self._file).st_size


def _damaged(path: Path, what: str) -> StorageDamaged:
    return StorageDamaged(f"{path} {what}; {_REMEDY}")
