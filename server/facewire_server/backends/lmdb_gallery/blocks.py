"""Vectors in blocks: many contiguous float32 rows in one value, so that a search reads the map itself.

A block is a value of whole pages (less the 16 bytes that LMDB puts before it): first a header
for each row, the numbers of its identity and its template as two little-endian uint64, then
the rows, and at its end a checksum (`block_checks`). Rows are dense: row i of a gallery is row i % rows_per_block of block i // rows_per_block,
and a removed row is replaced by the last one: a row of zeros would be more similar to
most probes than most strangers are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.lmdb_gallery.block_checks import (
    CHECKSUM_BYTES,
    BlockChecks,
    Compared,
)
from facewire_server.backends.lmdb_storage.tables import Table, number_key
from facewire_server.backends.lmdb_storage.vendor_errors import damaged
from facewire_server.galleries.embeddings import are_unit
from facewire_server.galleries.vector_search import RowOwner, VectorBlock

__all__ = ["BlockLayout", "Blocks", "row_owner"]

BLOCK_PAGES = 128
"""Pages of a block, 512 KiB: large enough for few matrix products a search, small enough to be rewritten at each enrollment.

Measured beside 32, 64 and 256 pages: decision 48."""

_PAGE_BYTES = 4096
"""Bytes of a page of LMDB on x86-64: the page size of the system."""

_PAGE_HEADER_BYTES = 16
"""Bytes that LMDB puts before a value that fills whole pages."""

_HEADER = Struct("<QQ")
"""A row's header: the numbers of its identity and its template."""

_NUMBER = np.dtype("<u8")
_FLOAT = np.dtype("<f4")
"""Little-endian on every machine, since the file may be moved."""

_Bytes: TypeAlias = memoryview | bytearray


def row_owner(template_key: bytes) -> RowOwner:
    """Returns the numbers of which a template's key consists."""
    return RowOwner(
        int.from_bytes(template_key[:8], "big"), int.from_bytes(template_key[8:], "big")
    )


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """The layout of a block.

    Attributes:
        dimension: numbers in a row.
        rows: rows of a block.
    """

    dimension: int
    rows: int

    @classmethod
    def chosen_for(cls, dimension: int) -> "BlockLayout":
        """Returns the layout for a new gallery: as many rows as fit `BLOCK_PAGES`."""
        room = BLOCK_PAGES * _PAGE_BYTES - _PAGE_HEADER_BYTES - CHECKSUM_BYTES
        return cls(dimension, max(1, room // (_HEADER.size + 4 * dimension)))

    @property
    def value_bytes(self) -> int:
        """Size of a block, full or not."""
        return self._whole_pages(CHECKSUM_BYTES)

    @property
    def unsigned_bytes(self) -> int:
        """Size of a block of format 1, which had no checksum."""
        return self._whole_pages(0)

    def _whole_pages(self, checksum_bytes: int) -> int:
        used = self.rows * (_HEADER.size + 4 * self.dimension) + checksum_bytes
        return -(-(used + _PAGE_HEADER_BYTES) // _PAGE_BYTES) * _PAGE_BYTES - _PAGE_HEADER_BYTES

    def checked(self, value: memoryview) -> memoryview:
        """Returns the value; raises GalleryDamaged if it is not of a block's size."""
        if len(value) != self.value_bytes:
            raise damaged("a block is not of its size")
        return value

    def headers(self, value: _Bytes) -> NDArray[np.uint64]:
        """(rows, 2) view of a block: identity number, template number."""
        return np.frombuffer(value, _NUMBER, 2 * self.rows).reshape(self.rows, 2)

    def vectors(self, value: _Bytes) -> NDArray[np.float32]:
        """(rows, dimension) view of a block."""
        shape = (self.rows, self.dimension)
        return np.ndarray(shape, _FLOAT, value, self.rows * _HEADER.size)


class Blocks:
    """The blocks of one gallery in one transaction, to read (`vector_search.GalleryVectors`)."""

    def __init__(
        self,
        table: Table,
        layout: BlockLayout,
        row_count: int,
        gallery_id: str,
        revision: int,
        checks: BlockChecks | None,
        checked_as: str = "",
    ) -> None:
        """Reads nothing yet.

        Args:
            table, layout, row_count: of the blocks.
            gallery_id, revision: of the gallery.
            checks: what is known of the blocks; None for a storage of format 1, which has no checksums.
            checked_as: their name in `checks`; "" = the gallery's id.
        """
        self._table = table
        self._checks = checks
        self._row_count = row_count
        self._checked_as = checked_as or gallery_id
        self.layout = layout
        self.gallery_id = gallery_id
        self.revision = revision

    @property
    def rows_per_block(self) -> int:
        """Rows of every block but the last."""
        return self.layout.rows

    def __iter__(self) -> Iterator[VectorBlock]:
        """The blocks in order; all but the last are full.

        Raises:
            GalleryDamaged: one is missing, is not of its size, or not what was written.
        """
        first = self._table.view(number_key(0)) if self._row_count else None
        if self._checks is None or first is None:
            return iter(self._read())
        address = np.frombuffer(first, np.uint8).__array_interface__["data"][0]
        compared = self._checks.compared(self._checked_as, self.revision)
        if compared is None or compared.address != address:
            compared = Compared(self.revision, address, tuple(self._read()))
            self._checks.set_compared(self._checked_as, compared)
        return iter(compared.blocks)

    def _read(self) -> Iterator[VectorBlock]:
        left = self._row_count
        layout, checks = self.layout, self._checks
        size = layout.unsigned_bytes if checks is None else layout.value_bytes
        for number, value in enumerate(self._table.numbered_views(-(-left // layout.rows))):
            if value is None:
                raise damaged("a block is missing")
            if len(value) != size:
                raise damaged("a block is not of its size")
            if checks is not None:
                checks.require(self._checked_as, number, value)
            yield VectorBlock(layout.vectors(value)[:left], layout.headers(value)[:left])
            left -= layout.rows

    def rows(self, places: Sequence[tuple[int, RowOwner]]) -> NDArray[np.float32]:
        """Copies some rows.

        Args:
            places: number and owner of each row.

        Returns:
            (n, d) float32.

        Raises:
            GalleryDamaged: one is not its owner's, or not of unit length.
        """
        layout, checks = self.layout, self._checks
        if checks is not None and checks.compared(self._checked_as, self.revision):
            checks = None
        copied = np.empty((len(places), layout.dimension), np.float32)
        for place, (row, owner) in enumerate(places):
            number, offset = divmod(row, layout.rows)
            value = self._table.view(number_key(number)) if row < self._row_count else None
            if value is None:
                raise damaged("a block is missing")
            headers = layout.headers(layout.checked(value))
            if checks is not None:
                checks.require(self._checked_as, number, value)
            if tuple(headers[offset].tolist()) != owner:
                raise damaged("a row is not its template's")
            copied[place] = layout.vectors(value)[offset]
        if not are_unit(copied).all():
            raise damaged("a vector is not of unit length")
        return copied
