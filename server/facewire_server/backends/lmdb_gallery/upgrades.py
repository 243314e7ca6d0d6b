"""Brings a storage of an earlier format to the present one, in one transaction: all of it, or nothing."""

from collections.abc import Iterator

from google.protobuf.message import DecodeError

from facewire_server.backends.lmdb_gallery.block_checks import sign
from facewire_server.backends.lmdb_gallery.blocks import BlockLayout
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery
from facewire_server.backends.lmdb_storage.tables import Table, Transaction, number_key

__all__ = ["sign_blocks"]


def sign_blocks(transaction: Transaction, names: tuple[str, str]) -> None:
    """From format 1 to 2: each block gets its checksum.

    What cannot be read stays as it is, and is found as damage when it is used: one damaged gallery keeps no other from
    being upgraded.

    Args:
        transaction: a write transaction.
        names: of the tables of galleries and of blocks.
    """
    galleries, blocks = names
    for gallery_id, record in list(_records(transaction.table(galleries))):
        layout = BlockLayout(record.dimension, record.rows_per_block)
        table = transaction.table(blocks, gallery_id + b"\0")
        for number in range(-(-record.template_count // layout.rows)):
            stored = table.view(number_key(number))
            if stored is not None and len(stored) == layout.unsigned_bytes:
                block = bytearray(stored).ljust(layout.value_bytes, b"\0")
                sign(block)
                table.put(number_key(number), block)


def _records(table: Table) -> Iterator[tuple[bytes, Gallery]]:
    for gallery_id, value in table.scan():
        try:
            record = Gallery.FromString(value)
        except DecodeError:
            continue
        if record.dimension and record.rows_per_block:
            yield gallery_id, record
