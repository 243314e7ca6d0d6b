"""Brings a storage of an earlier format to the present one, in one transaction: all of it, or nothing.

What cannot be read stays as it is, and is found as damage when it is used: one damaged gallery keeps no other from
being upgraded.
"""

from collections.abc import Iterator
from contextlib import suppress

from google.protobuf.message import DecodeError

from facewire_server.backends.lmdb_gallery.block_checks import sign
from facewire_server.backends.lmdb_gallery.blocks import BlockLayout
from facewire_server.backends.lmdb_gallery.projection import means_of_gallery
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery
from facewire_server.backends.lmdb_storage.tables import Table, Transaction, number_key
from facewire_server.errors import GalleryDamaged

__all__ = ["make_means", "sign_blocks"]


def sign_blocks(transaction: Transaction) -> None:
    """From format 1 to 2, in a write transaction: each block gets its checksum."""
    for gallery_id, record in list(_records(transaction.table("galleries"))):
        layout = BlockLayout(record.dimension, record.rows_per_block)
        table = transaction.table("blocks", gallery_id + b"\0")
        for number in range(-(-record.template_count // layout.rows)):
            stored = table.view(number_key(number))
            if stored is not None and len(stored) == layout.unsigned_bytes:
                block = bytearray(stored).ljust(layout.value_bytes, b"\0")
                sign(block)
                table.put(number_key(number), block)


def make_means(transaction: Transaction) -> None:
    """From format 2 to 3, in a write transaction: each person gets the mean that they are searched by."""
    galleries = transaction.table("galleries")
    for gallery_id, record in list(_records(galleries)):
        with suppress(GalleryDamaged, DecodeError):
            means_of_gallery(transaction, gallery_id + b"\0", record)
            galleries.put(gallery_id, record.SerializeToString())


def _records(table: Table) -> Iterator[tuple[bytes, Gallery]]:
    for gallery_id, value in table.scan():
        try:
            record = Gallery.FromString(value)
        except DecodeError:
            continue
        if record.dimension and record.rows_per_block:
            yield gallery_id, record
