"""The file of a storage: looked at before LMDB maps it, and again before each transaction.

LMDB trusts the length of its file: a page that the map has and the file has not ends the process that reads it, by SIGBUS; and
of an empty file LMDB makes a new storage.


Each process that uses the file holds a shared lock on it (flock; LMDB's own are on its lock file), so that whoever gets the
exclusive lock knows that no process uses it any longer.
"""

import contextlib
import fcntl
import os
import struct
from pathlib import Path
from typing import Final, NamedTuple

from facewire_server.errors import StorageDamaged

__all__ = ["DataFile", "FileGone"]

_MAGIC: Final = 0xBEEFC0DE
"""`MDB_MAGIC` of LMDB."""

_VERSION: Final = 1
"""`MDB_DATA_VERSION` of LMDB 0.9."""

_META_FLAG: Final = 0x08
"""`P_META` of LMDB: a page is a meta page."""

_HEADER: Final = struct.Struct("<QHH4x")
"""`MDB_page` of LMDB 0.9 on 64 bits: page number, padding, flags."""

_META: Final = struct.Struct("<IIQQI36xQ40xQQQ")
"""`MDB_meta`: magic, version, address, size of the map, page size, roots of two trees, last page, transaction."""

_NO_ROOT: Final = (1 << 64) - 1
"""`P_INVALID` of LMDB: a tree without a page."""

_META_BYTES: Final = _HEADER.size + _META.size
"""Bytes of a meta page that are used."""

_TRIES: Final = 10
"""Readings of the two meta pages, between which another process may commit. Chosen, not measured."""

_REMEDY: Final = "restore it from a backup"
"""What every text ends with."""


class FileGone(OSError):
    """The file is being erased, or another one has taken its place: a later generation holds the storage."""


class _Meta(NamedTuple):
    page_bytes: int
    last_page: int
    transaction: int


class DataFile:
    """A storage's file, open for as long as the storage is.

    A file that LMDB has written never gets shorter, so a length below one that was seen is damage; the map does not show it.
    """

    def __init__(self, path: Path, storage: str) -> None:
        """Opens the file and compares its two meta pages with each other and with its length.

        Args:
            path: of a file that exists.
            storage: its name, for the texts of errors.

        Raises:
            StorageDamaged: it is empty, cut short, or a meta page is damaged; the text says which, and names the file.
            FileGone: it is being erased.
            OSError: it cannot be read.
        """
        self._storage = storage
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._share(path)
            # Before the pages: what they speak of was written before them.
            self._bytes = 0
            meta = self._checked(path)
            self.page_bytes = meta.page_bytes
            self._bytes = self._length()
            needed = (meta.last_page + 1) * meta.page_bytes
            if self._bytes < needed:
                raise _damaged(path, f"is cut short: {self._bytes} bytes of at least {needed}")
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

    def _checked(self, path: Path) -> _Meta:
        before = None
        for _ in range(_TRIES):
            if not self._length():
                raise _damaged(path, "is empty")
            # Each page on its own: a storage's page is as large as the system's, and the first one says so.
            first = os.pread(self._file, _META_BYTES, 0)
            second = os.pread(self._file, _META_BYTES, _page_bytes(first))
            meta = _newest(first, second)
            if meta is not None:
                return meta
            if before == (first, second):  # no commit of another process came between
                break
            before = first, second
        raise _damaged(path, "is damaged: a meta page is not one")

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


def _page_bytes(first: bytes) -> int:
    if len(first) < _META_BYTES:
        return 0
    return int(_META.unpack_from(first, _HEADER.size)[4])


def _newest(first: bytes, second: bytes) -> _Meta | None:
    """Returns the newer of two meta pages, with the last page of both, or None if they contradict what LMDB writes."""
    metas = [_meta(number, page) for number, page in enumerate((first, second))]
    if metas[0] is None or metas[1] is None or metas[0].page_bytes != metas[1].page_bytes:
        return None
    older, newer = sorted((metas[0], metas[1]), key=lambda meta: meta.transaction)
    if newer.transaction:
        # Each commit writes the page that the one before did not.
        is_turn = newer is metas[newer.transaction % 2]
        if not is_turn or newer.transaction - older.transaction != 1:
            return None
    return newer._replace(last_page=max(meta.last_page for meta in (older, newer)))


def _meta(number: int, page: bytes) -> _Meta | None:
    if len(page) < _META_BYTES:
        return None
    page_number, _, flags = _HEADER.unpack_from(page)
    magic, version, _, map_bytes, page_bytes, *roots, last_page, transaction = _META.unpack_from(
        page, _HEADER.size
    )
    is_one = (page_number, flags & _META_FLAG, magic, version) == (
        number,
        _META_FLAG,
        _MAGIC,
        _VERSION,
    )
    is_possible = (
        last_page >= 1
        and (last_page + 1) * page_bytes <= map_bytes
        and all(2 <= root <= last_page or root == _NO_ROOT for root in roots)
    )
    return _Meta(page_bytes, last_page, transaction) if is_one and is_possible else None


def _damaged(path: Path, what: str) -> StorageDamaged:
    return StorageDamaged(f"{path} {what}; {_REMEDY}")
