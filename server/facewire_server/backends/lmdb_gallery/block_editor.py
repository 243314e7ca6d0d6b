"""Changes the rows of vectors in the blocks of a gallery."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.lmdb_gallery.block_checks import is_signed, sign
from facewire_server.backends.lmdb_gallery.blocks import BlockLayout
from facewire_server.backends.lmdb_storage.tables import Table, number_key
from facewire_server.backends.lmdb_storage.vendor_errors import damaged
from facewire_server.galleries.vector_search import RowOwner

__all__ = ["BlockEditor"]

_MOST_HELD_BLOCKS: Final = 16
"""Changed blocks kept in memory, 8 MiB. Chosen, not measured."""


class BlockEditor:
    """Adds and removes rows; `flush` writes what changed.

    Blocks that were changed are held in memory until then, so that many rows of one block cost
    one write of it.
    """

    def __init__(self, table: Table, layout: BlockLayout, row_count: int) -> None:
        self._table = table
        self._layout = layout
        self._held: dict[int, bytearray] = {}
        self._sound: set[int] = set()
        self.row_count = row_count

    def append(self, owner: RowOwner, vector: NDArray[np.float32]) -> int:
        """Adds a row; returns its number."""
        row = self.row_count
        self.row_count += 1
        self._set(row, owner, vector)
        return row

    def remove(self, row: int) -> RowOwner | None:
        """Removes a row; returns the owner of the row that was moved to its place, or None."""
        last = self.row_count - 1
        moved = None
        if row != last:
            value, offset = self._find(last)
            identity_number, template_number = self._layout.headers(value)[offset].tolist()
            moved = RowOwner(identity_number, template_number)
            self._set(row, moved, self._layout.vectors(value)[offset])
        self._set(last, RowOwner(0, 0), 0.0)
        self.row_count = last
        block, offset = divmod(last, self._layout.rows)
        if not offset:
            self._held.pop(block)
            self._table.delete(number_key(block))
        return moved

    def replace(self, row: int, owner: RowOwner, vector: NDArray[np.float32]) -> None:
        """Puts another vector in the place of one of the same owner."""
        self._require_owner(row, owner)
        self._set(row, owner, vector)

    def give(self, row: int, owner: RowOwner, new_owner: RowOwner) -> None:
        """Makes the vector of a row another owner's."""
        self._require_owner(row, owner)
        value, offset = self._find(row)
        self._layout.headers(value)[offset] = new_owner

    def row(self, row: int, owner: RowOwner) -> NDArray[np.float32]:
        """Returns a copy of the vector of a row.

        Raises:
            GalleryDamaged: the block is not what was written, or the row is not its owner's.
        """
        self._require_owner(row, owner)
        value, offset = self._find_to_read(row)
        return np.array(self._layout.vectors(value)[offset])

    def unchecked_row(self, row: int) -> NDArray[np.float32]:
        """Returns a copy of the vector of a row, whatever it is: many rows of many blocks are read faster so."""
        block, offset = divmod(row, self._layout.rows)
        value = self._held.get(block)
        if value is None:
            stored = self._table.view(number_key(block))
            if stored is None:
                raise damaged("a block is missing")
            return np.array(self._layout.vectors(self._layout.checked(stored))[offset])
        return np.array(self._layout.vectors(value)[offset])

    def flush(self) -> None:
        """Writes the blocks that changed."""
        for block, value in self._held.items():
            sign(value)
            self._table.put(number_key(block), value)
        self._held.clear()

    def _set(self, row: int, owner: RowOwner, vector: NDArray[np.float32] | float) -> None:
        value, offset = self._find(row)
        self._layout.headers(value)[offset] = owner
        self._layout.vectors(value)[offset] = vector

    def _require_owner(self, row: int, owner: RowOwner) -> None:
        value, offset = self._find_to_read(row)
        if row >= self.row_count or tuple(self._layout.headers(value)[offset].tolist()) != owner:
            raise damaged("a row is not its template's")

    def _find_to_read(self, row: int) -> tuple[memoryview | bytearray, int]:
        """Returns the block of a row, whose checksum is compared once for the life of this object, and the row's place in it."""
        block, offset = divmod(row, self._layout.rows)
        held = self._held.get(block)
        if held is not None:
            return held, offset
        stored = self._table.view(number_key(block))
        if stored is None:
            raise damaged("a block is missing")
        if block not in self._sound:
            if not is_signed(self._layout.checked(stored)):
                raise damaged("a block is not what was written")
            self._sound.add(block)
        return stored, offset

    def _find(self, row: int) -> tuple[bytearray, int]:
        block, offset = divmod(row, self._layout.rows)
        value = self._held.get(block)
        if value is None:
            if len(self._held) >= _MOST_HELD_BLOCKS:
                self.flush()
            stored = self._table.view(number_key(block))
            if stored is None:
                value = bytearray(self._layout.value_bytes)
            elif is_signed(self._layout.checked(stored)):
                value = bytearray(stored)
            else:  # a new checksum would make it look sound
                raise damaged("a block is not what was written")
            self._held[block] = value
        return value, offset
