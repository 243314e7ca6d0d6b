"""The tables of the galleries' storage, each gallery's keys behind its own prefix."""

from typing import Final

from facewire_server.backends.lmdb_gallery.upgrades import make_means, sign_blocks
from facewire_server.backends.lmdb_storage.tables import Storage, Transaction

__all__ = ["GALLERY_STORAGE", "GALLERY_TABLES", "gallery_prefix"]

GALLERY_TABLES: Final = (
    # Each key is the gallery id, NUL, and then
    "identities",  # identity id -> Identity
    "identity_ids",  # identity number -> identity id; that of a merged identity -> the one that it was merged into
    "templates",  # identity number, template number -> Template
    "template_keys",  # template id -> identity number, template number
    "crops",  # identity number, template number -> the encrypted PNG of its aligned crop, see `kept_crops`
    "blocks",  # block number -> rows of the templates' vectors, see `blocks`
    "means",  # block number -> rows of the people's means, see `means`
    "negative_examples",  # identity number, negative example's number -> NegativeExample
    "negative_example_keys",  # negative example's id -> identity number, negative example's number
    "enrollments",  # digest of the request id -> Enrollment
    "enrollment_order",  # enrollment number -> identity number, digest of the request id
)
"""The tables whose keys begin with `gallery_prefix`."""

_RESERVE_BYTES: Final = 16 << 20
"""Bytes of the disk that are held back for deletions: 32 blocks, of which the deletion of a template changes four. Chosen,
not measured."""


def _from_format_1(transaction: Transaction) -> None:
    sign_blocks(transaction)
    make_means(transaction)


def _from_format_3(transaction: Transaction) -> None:
    """Changes nothing: the tables that format 4 adds are empty. A server of format 3 would give names that a negative example denies."""


GALLERY_STORAGE: Final = Storage(
    name="the gallery's storage",
    tables=(
        "galleries",  # gallery id -> Gallery
        *GALLERY_TABLES,
    ),
    format=b"4",
    reserve_bytes=_RESERVE_BYTES,
    upgrades={b"1": _from_format_1, b"2": make_means, b"3": _from_format_3},
)
"""The galleries' environment."""


def gallery_prefix(gallery_id: str) -> bytes:
    """Returns what a gallery's keys start with; ids hold no NUL, so no prefix is the start of another."""
    return gallery_id.encode() + b"\0"
