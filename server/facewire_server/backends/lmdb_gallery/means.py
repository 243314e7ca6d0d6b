"""The means that people are searched by: a projection of their templates, changed in the transaction that changes these.

Each mean is a row of blocks of its own, under the number of its oldest template. A search reads these blocks alone, so that the templates'
own stay on the disk.
"""

import numpy as np

from facewire_server.backends.lmdb_gallery.block_editor import BlockEditor
from facewire_server.backends.lmdb_gallery.blocks import row_owner
from facewire_server.backends.lmdb_gallery.records_pb2 import Template
from facewire_server.backends.lmdb_storage.tables import Table, number_key
from facewire_server.backends.lmdb_storage.vendor_errors import damaged
from facewire_server.galleries.fusion import Fused, fuse

__all__ = ["MeanEditor", "is_oldest_of_mean"]


def is_oldest_of_mean(key: bytes, record: Template) -> bool:
    """Whether a mean has the number of the template with this key, and its row."""
    return record.mean_number == row_owner(key).template_number


class MeanEditor:
    """Makes the means of people again whose templates changed; the caller flushes both editors."""

    def __init__(self, templates: Table, vectors: BlockEditor, means: BlockEditor) -> None:
        """Takes the records of the templates, their vectors, and the means."""
        self._templates = templates
        self._vectors = vectors
        self._means = means
        self._changed: set[int] = set()

    def template_added(self, identity_number: int) -> None:
        """Takes that an identity has a new template."""
        self._changed.add(identity_number)

    def template_removed(self, key: bytes, record: Template) -> None:
        """Takes that a template was removed, whose record this was; a mean under its number goes at once."""
        self._changed.add(row_owner(key).identity_number)
        if is_oldest_of_mean(key, record):
            self._remove(record.mean_row)

    def update(self) -> list[int]:
        """Makes the means of everyone whose templates changed; returns their numbers."""
        numbers = sorted(self._changed)
        self._changed.clear()
        for number in numbers:
            self._fuse(number)
        return numbers

    def _fuse(self, identity_number: int) -> None:
        keys = list(self._templates.keys(number_key(identity_number)))
        if not keys:
            return
        records = [self._record(key) for key in keys]
        rows = [
            self._vectors.row(record.row, row_owner(key))
            for key, record in zip(keys, records, strict=True)
        ]
        fused = {keys[one.rows[0]]: one for one in fuse(np.stack(rows))}
        for key, record in zip(keys, records, strict=True):
            if is_oldest_of_mean(key, record) and key not in fused:
                # The row of another mean of the same person may be moved: its record is read again.
                self._remove(self._record(key).mean_row)
        number_of = {
            keys[row]: row_owner(key).template_number
            for key, one in fused.items()
            for row in one.rows
        }
        for key in keys:
            self._put(key, number_of.get(key, 0), fused.get(key))

    def _put(self, key: bytes, mean_number: int, fused: Fused | None) -> None:
        """Writes what mean a template is part of, and the mean itself if it has this template's number."""
        record, owner = self._record(key), row_owner(key)
        before = record.mean_number, record.mean_row
        if fused is None:
            record.mean_row = 0
        elif record.mean_number == mean_number:
            self._means.replace(record.mean_row, owner, fused.mean)
        else:
            record.mean_row = self._means.append(owner, fused.mean)
        record.mean_number = mean_number
        if (record.mean_number, record.mean_row) != before:
            self._templates.put(key, record.SerializeToString())

    def _remove(self, row: int) -> None:
        moved = self._means.remove(row)
        if moved is not None:
            key = number_key(*moved)
            record = self._record(key)
            record.mean_row = row
            self._templates.put(key, record.SerializeToString())

    def _record(self, key: bytes) -> Template:
        value = self._templates.get(key)
        if value is None:
            raise damaged("a template is missing")
        return Template.FromString(value)
