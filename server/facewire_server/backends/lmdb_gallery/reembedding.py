"""Every template under another model contract: who can have one, what is left to embed, and the rewrite of the next generation."""

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.block_editor import BlockEditor
from facewire_server.backends.lmdb_gallery.blocks import BlockLayout, row_owner
from facewire_server.backends.lmdb_gallery.contents import Contents
from facewire_server.backends.lmdb_gallery.erasure import note_deletion
from facewire_server.backends.lmdb_gallery.gallery_tables import gallery_prefix
from facewire_server.backends.lmdb_gallery.kept_crops import KeptCrops
from facewire_server.backends.lmdb_gallery.listing import listed_galleries
from facewire_server.backends.lmdb_gallery.projection import means_of_gallery
from facewire_server.backends.lmdb_gallery.records_pb2 import Identity, Template
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.backends.lmdb_storage.vendor_errors import damaged
from facewire_server.backends.new_vectors import NewVectors
from facewire_server.types import Rgb

__all__ = [
    "Lacking",
    "NotEmbedded",
    "Target",
    "WaitingCrops",
    "forget_deleted",
    "lacking",
    "negative_example_count",
    "old_galleries",
    "rewrite",
    "waiting_crops",
]

_BATCH: Final = 16
"""Crops that are embedded and kept at a time: with their mirror images, two predictions. Chosen, not measured."""


class Target(NamedTuple):
    """The model contract to come.

    Attributes:
        contract_id: its id.
        dimension: length of an embedding.
    """

    contract_id: str
    dimension: int


class Lacking(NamedTuple):
    """A person of whom not every template has a kept crop.

    Attributes:
        gallery_id, identity_id, display_name: who.
        crop_count: templates with one; 0 = the person must be enrolled again.
        template_count: all templates.
    """

    gallery_id: str
    identity_id: str
    display_name: str
    crop_count: int
    template_count: int


class WaitingCrops(NamedTuple):
    """Crops that have no embedding yet.

    Attributes:
        gallery_id: of their templates.
        template_ids: of their templates, 16 bytes each.
        crops: (n, 112, 112, 3) uint8 RGB.
    """

    gallery_id: str
    template_ids: Sequence[bytes]
    crops: Rgb


class NotEmbedded(Exception):
    """A template with a crop has no embedding yet: it was enrolled meanwhile. Embed it, then switch again."""


def old_galleries(transaction: Transaction, target: Target) -> list[str]:
    """Returns the ids of the galleries of other model contracts.

    Raises:
        GalleryDamaged: the record of a gallery cannot be parsed.
    """
    found, unreadable = listed_galleries(transaction)
    if unreadable:
        raise damaged("a gallery's record is not one")
    return [one.gallery_id for one in found if one.model_contract_id != target.contract_id]


def negative_example_count(transaction: Transaction, target: Target) -> int:
    """Returns how many negative examples go: no picture of them is kept, so that none can have a new embedding."""
    infos = listed_galleries(transaction)[0]
    return sum(
        one.negative_example_count for one in infos if one.model_contract_id != target.contract_id
    )


def lacking(environment: Environment, target: Target) -> Iterator[Lacking]:
    """Yields who lacks crops, in order of galleries and ids; needs no key."""
    with environment.read() as transaction:
        galleries = old_galleries(transaction, target)
    for gallery_id in galleries:
        after = ""
        while True:
            with environment.read() as transaction:
                page = list(islice(_counted(transaction, gallery_id, after), 1024))
            yield from (one for one in page if one.crop_count < one.template_count)
            if not page:
                break
            after = page[-1].identity_id


def _counted(transaction: Transaction, gallery_id: str, after: str) -> Iterator[Lacking]:
    contents, crops = Contents(transaction, gallery_id), KeptCrops(transaction, gallery_id)
    for info in contents.identities(after):
        number = contents.identity(info.identity_id).number
        kept = sum(1 for _ in crops.template_keys(of=number_key(number)))
        yield Lacking(gallery_id, info.identity_id, info.display_name, kept, info.template_count)


def waiting_crops(
    environment: Environment, target: Target, keys: CropKeys, made: NewVectors
) -> Iterator[tuple[float, WaitingCrops]]:
    """Yields what is left to embed, in batches, each with the share of all crops that lies before its end.

    Raises:
        GalleryDamaged: a crop is not what was written.
    """
    with environment.read() as transaction:
        galleries = old_galleries(transaction, target)
        total = max(1, transaction.count("crops"))
    seen = 0
    for gallery_id in galleries:
        after = b""
        while True:
            with environment.read() as transaction:
                contents = Contents(transaction, gallery_id)
                crops = KeptCrops(transaction, gallery_id)
                page = list(islice(crops.template_keys(after), _BATCH))
                ids = {key: contents.template(key).template_id for key in page}
                left = [key for key in page if not made.has(gallery_id, ids[key])]
                found = [crops.get(key, contents.owner_id(key), ids[key], keys) for key in left]
            if not page:
                break
            after, seen = page[-1], seen + len(page)
            if left:
                batch = np.stack([crop for crop in found if crop is not None])
                yield seen / total, WaitingCrops(gallery_id, [ids[key] for key in left], batch)


def forget_deleted(environment: Environment, made: NewVectors) -> None:
    """Removes the embeddings of templates that were deleted since they were made."""
    with environment.read() as transaction:
        tables = {
            one.gallery_id: Contents(transaction, one.gallery_id).template_key_table
            for one in listed_galleries(transaction)[0]
        }
        gone = [
            (gallery_id, template_id)
            for gallery_id, template_id in made.ids()
            if gallery_id not in tables or tables[gallery_id].get(template_id) is None
        ]
    made.delete(gone)


def rewrite(transaction: Transaction, target: Target, made: NewVectors) -> None:
    """Puts every gallery under the new contract: each template gets its new embedding, and one without a crop goes.

    What the templates held before is noted as deleted: it is still in free pages of the file, until the next purge.
    Negative examples go, too. People stay, also those without a template, and so do their ids, names and remembered enrollments. Each revision rises by one.

    Raises:
        NotEmbedded: an embedding is still to be made.
    """
    note_deletion(transaction, time.time_ns() // 1000)
    for gallery_id in old_galleries(transaction, target):
        _rewrite_gallery(transaction, gallery_id, target, made)


def _rewrite_gallery(
    transaction: Transaction, gallery_id: str, target: Target, made: NewVectors
) -> None:
    contents = Contents(transaction, gallery_id)
    crops = KeptCrops(transaction, gallery_id)
    layout = BlockLayout.chosen_for(target.dimension)
    contents.block_table.clear()
    contents.mean_table.clear()
    _drop_negative_examples(contents)
    editor = BlockEditor(contents.block_table, layout, 0)
    for key in list(contents.template_table.keys()):
        record = contents.template(key)
        new = made.get(gallery_id, record.template_id)
        if new is not None:
            record.row = editor.append(row_owner(key), new.embedding)
            record.mean_number = record.mean_row = 0
            record.quality.embedding_norm = new.norm  # in the scale of the model that made it
            contents.template_table.put(key, record.SerializeToString())
        elif crops.has(key):
            raise NotEmbedded
        else:
            _remove(contents, key, record)
    editor.flush()
    gallery = contents.record
    gallery.model_contract_id = target.contract_id
    gallery.dimension, gallery.rows_per_block = layout.dimension, layout.rows
    gallery.template_count = editor.row_count
    gallery.revision += 1
    means_of_gallery(transaction, gallery_prefix(gallery_id), gallery)
    transaction.table("galleries").put(gallery_id.encode(), gallery.SerializeToString())


def _drop_negative_examples(contents: Contents) -> None:
    """Deletes all negative examples: no picture of them is kept."""
    if contents.negative_examples.clear():
        for identity_id, value in list(contents.identity_table.scan()):
            identity = Identity.FromString(value)
            if identity.negative_example_count:
                identity.negative_example_count = 0
                contents.identity_table.put(identity_id, identity.SerializeToString())


def _remove(contents: Contents, key: bytes, record: Template) -> None:
    contents.template_table.delete(key)
    contents.template_key_table.delete(record.template_id)
    identity_id = contents.owner_id(key)
    identity: Identity = contents.identity(identity_id)
    identity.template_count -= 1
    contents.identity_table.put(identity_id.encode(), identity.SerializeToString())
