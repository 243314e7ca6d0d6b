"""Which pictures of tracks are kept, in one transaction; the pictures are files."""

from typing import Final

from facewire_server.backends.lmdb_gallery.quality_records import quality_of, quality_record
from facewire_server.backends.lmdb_journal.numbers import (
    meta_number,
    numbers_of,
    set_meta_number,
)
from facewire_server.backends.lmdb_journal.records_pb2 import Crop as CropRecord
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.streams.journal import Crop

__all__ = ["MAX_CROPS", "MAX_CROP_BYTES", "CropTable"]

MAX_CROPS: Final = 10_000
"""Pictures kept. Chosen, not measured: one in ten of the 100,000 events that are kept by default."""

MAX_CROP_BYTES: Final = 256 << 20
"""Bytes of all pictures. Chosen, not measured: 10,000 of 26 KB."""

_BYTES: Final = b"crop_bytes"


class CropTable:
    """The pictures.

    Attributes:
        lost: tracks whose pictures were removed; their files are to be erased after the commit.
    """

    def __init__(self, transaction: Transaction) -> None:
        self.lost: list[int] = []
        self._transaction = transaction
        self._crops = transaction.table("crops")

    @property
    def count(self) -> int:
        """Number of pictures."""
        return self._transaction.count("crops")

    @property
    def byte_count(self) -> int:
        """Bytes of all pictures."""
        return meta_number(self._transaction, _BYTES)

    def has(self, track_id: int) -> bool:
        """Whether a picture of the track is kept."""
        return self._crops.view(number_key(track_id)) is not None

    def track_ids(self) -> list[int]:
        """Returns the tracks of which a picture is kept, in order."""
        return [number for key, _ in self._crops.scan() for number in numbers_of(key)]

    def put(self, track_id: int, crop: Crop) -> None:
        """Adds a picture, or replaces the track's; those of the oldest tracks make room for it."""
        self._forget(track_id)
        record = CropRecord(
            sequence=crop.sequence,
            quality=quality_record(crop.quality),
            byte_count=len(crop.jpeg),
        )
        self._crops.put(number_key(track_id), record.SerializeToString())
        self._add_bytes(len(crop.jpeg))
        while self.count > MAX_CROPS or self.byte_count > MAX_CROP_BYTES:
            (oldest,) = numbers_of(next(key for key, _ in self._crops.scan()))
            self.remove(oldest)

    def without_picture(self, track_id: int) -> Crop | None:
        """Returns what is kept beside the picture itself, or None."""
        value = self._crops.get(number_key(track_id))
        if value is None:
            return None
        record = CropRecord.FromString(value)
        return Crop(b"", record.sequence, quality_of(record.quality))

    def remove(self, track_id: int) -> None:
        """Removes a picture, if there is one."""
        if self._forget(track_id):
            self.lost.append(track_id)

    def remove_all(self) -> None:
        """Removes every picture."""
        self._crops.clear()
        set_meta_number(self._transaction, _BYTES, 0)

    def _forget(self, track_id: int) -> bool:
        value = self._crops.get(number_key(track_id))
        if value is None:
            return False
        self._crops.delete(number_key(track_id))
        self._add_bytes(-CropRecord.FromString(value).byte_count)
        return True

    def _add_bytes(self, count: int) -> None:
        set_meta_number(self._transaction, _BYTES, max(0, self.byte_count + count))
