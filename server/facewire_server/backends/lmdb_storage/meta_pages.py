"""The two meta pages of a storage's file, of which each commit writes the one that the commit before did not.

LMDB takes the one with the higher number of a transaction, and believes it.
"""

import struct
from typing import Final, NamedTuple

__all__ = ["META_BYTES", "NO_ROOT", "Meta", "newest", "page_bytes_of"]

NO_ROOT: Final = (1 << 64) - 1
"""`P_INVALID` of LMDB: a tree without a page."""

_MAGIC: Final = 0xBEEFC0DE
"""`MDB_MAGIC` of LMDB."""

_VERSION: Final = 1
"""`MDB_DATA_VERSION` of LMDB 0.9."""

_META_FLAG: Final = 0x08
"""`P_META` of LMDB: a page is a meta page."""

_HEADER: Final = struct.Struct("<QHH4x")
"""`MDB_page` of LMDB 0.9 on 64 bits: page number, padding, flags."""

_META: Final = struct.Struct("<IIQQ IHH32xQ 4xHH32xQ QQ")
"""`MDB_meta`: magic, version, address, size of the map; of the tree of free pages the page size, flags, depth and root; of the main
tree flags, depth and root; last page, transaction."""

_PAGE_SIZES: Final = frozenset(1 << bits for bits in range(9, 16))
"""Bytes that a page may have: a power of two, up to LMDB's `MAX_PAGESIZE`."""

META_BYTES: Final = _HEADER.size + _META.size
"""Bytes of a meta page that are used."""


class Meta(NamedTuple):
    """What a meta page says.

    Attributes:
        page_bytes: size of a page.
        flags: of the tree of free pages, and of the main tree.
        free_depth, free_root: levels and first page of the tree of free pages.
        root: first page of the main tree.
        last_page: number of the last page that was ever taken.
        transaction: number of the commit that wrote this.
    """

    page_bytes: int
    flags: tuple[int, int]
    free_depth: int
    free_root: int
    root: int
    last_page: int
    transaction: int


def page_bytes_of(first: bytes) -> int:
    """Returns the size of a page that the first meta page states; 0 if it is cut short, or states none that there is."""
    stated = 0 if len(first) < META_BYTES else int(_META.unpack_from(first, _HEADER.size)[4])
    return stated if stated in _PAGE_SIZES else 0


def newest(first: bytes, second: bytes) -> Meta | None:
    """Returns the newer of two meta pages, or None if they contradict what LMDB writes.

    Args:
        first, second: `META_BYTES` of each page.
    """
    one, other = (_parsed(number, page) for number, page in enumerate((first, second)))
    if one is None or other is None:
        return None
    older, newer = sorted((one, other), key=lambda meta: meta.transaction)
    # Neither changes in the life of a file, and a file never gets fewer pages.
    if (older.page_bytes, older.flags) != (newer.page_bytes, newer.flags):
        return None
    if newer.last_page < older.last_page:
        return None
    if newer.transaction:
        is_turn = newer is (one, other)[newer.transaction % 2]
        if not is_turn or newer.transaction - older.transaction != 1:
            return None
    return newer


def _parsed(number: int, page: bytes) -> Meta | None:
    if len(page) < META_BYTES:
        return None
    page_number, _, flags = _HEADER.unpack_from(page)
    magic, version, _, map_bytes, page_bytes, *trees, last_page, transaction = _META.unpack_from(
        page, _HEADER.size
    )
    free_flags, free_depth, free_root, main_flags, _, root = trees
    is_one = (page_number, flags & _META_FLAG, magic, version) == (
        number,
        _META_FLAG,
        _MAGIC,
        _VERSION,
    )
    is_possible = (
        page_bytes in _PAGE_SIZES
        and last_page >= 1
        and (last_page + 1) * page_bytes <= map_bytes
        and all(2 <= one <= last_page or one == NO_ROOT for one in (free_root, root))
    )
    if not (is_one and is_possible):
        return None
    both = free_flags, main_flags
    return Meta(page_bytes, both, free_depth, free_root, root, last_page, transaction)
