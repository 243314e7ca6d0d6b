"""Changes of one gallery in a write transaction."""

import time
from collections.abc import Sequence

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from facewire_server.backends.lmdb_gallery.block_editor import BlockEditor
from facewire_server.backends.lmdb_gallery.blocks import BlockLayout, row_owner
from facewire_server.backends.lmdb_gallery.contents import Contents, find_gallery
from facewire_server.backends.lmdb_gallery.erasure import note_deletion
from facewire_server.backends.lmdb_gallery.floors import Floors, floors_of, raise_floors
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_TABLES, gallery_prefix
from facewire_server.backends.lmdb_gallery.kept_crops import KeptCrops
from facewire_server.backends.lmdb_gallery.memory import EnrollmentMemory
from facewire_server.backends.lmdb_gallery.projection import Projection
from facewire_server.backends.lmdb_gallery.quality_records import quality_record
from facewire_server.backends.lmdb_gallery.records_pb2 import (
    Gallery,
    Identity,
    NegativeExample,
    Template,
)
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.errors import GalleryExists, IdentityExists, InvalidField
from facewire_server.galleries.ids import (
    checked_gallery_id,
    checked_identity_id,
    checked_template_id,
)
from facewire_server.galleries.records import (
    DEFAULT_GALLERY_ID,
    NegativeExampleInfo,
    TemplateInfo,
)
from facewire_server.galleries.vector_search import RowOwner

__all__ = ["Changes", "create_gallery", "delete_gallery", "now_us"]


def now_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def create_gallery(
    transaction: Transaction,
    gallery_id: str,
    display_name: str,
    model_contract_id: str,
    dimension: int,
) -> Contents:
    """Makes an empty gallery; raises GalleryExists and InvalidField."""
    checked_gallery_id(gallery_id)
    galleries = transaction.table("galleries")
    if galleries.get(gallery_id.encode()) is not None:
        raise GalleryExists("a gallery of this id exists")
    floors = floors_of(transaction)
    record = Gallery(
        display_name=display_name or gallery_id,
        revision=floors.revision + 1,
        model_contract_id=model_contract_id,
        created_at_us=now_us(),
        dimension=dimension,
        rows_per_block=BlockLayout.chosen_for(dimension).rows,
        next_number=max(1, floors.next_number),
    )
    galleries.put(gallery_id.encode(), record.SerializeToString())
    return Contents(transaction, gallery_id)


def delete_gallery(
    transaction: Transaction, gallery_id: str, model_contract_id: str, dimension: int
) -> int:
    """Deletes a gallery; "default" is emptied instead and stays.

    Revisions of all deleted galleries stay below those of galleries made later, so
    that a gallery made again under the same id never shows a revision that was seen before. Its numbers lie above theirs, so
    that a reference to a deleted person never means another one. What the record of a gallery says that cannot be parsed is
    unknown: the time in microseconds since 1970, which no count of changes reaches, takes the place of its last
    revision and of its next number.

    Args:
        transaction: a write transaction.
        gallery_id: the gallery.
        model_contract_id, dimension: of "default" from now on; else unused.

    Returns:
        The revision after the deletion: the gallery's last one, or that of the emptied "default".

    Raises:
        GalleryNotFound: no such gallery.
    """
    try:
        record = find_gallery(transaction, gallery_id)
    except DecodeError:
        record = Gallery(
            display_name=gallery_id,
            revision=now_us(),
            created_at_us=now_us(),
            next_number=now_us(),
        )
    for name in GALLERY_TABLES:
        transaction.table(name, gallery_prefix(gallery_id)).clear()
    note_deletion(transaction, now_us())
    galleries = transaction.table("galleries")
    revision = record.revision + 1
    if gallery_id == DEFAULT_GALLERY_ID:
        emptied = Gallery(
            display_name=record.display_name,
            revision=revision,
            model_contract_id=model_contract_id,
            created_at_us=record.created_at_us,
            dimension=dimension,
            rows_per_block=BlockLayout.chosen_for(dimension).rows,
            next_number=record.next_number,
            pending_purge_count=record.pending_purge_count + 1,
        )
        galleries.put(gallery_id.encode(), emptied.SerializeToString())
    else:
        # Its record goes, and with it revision and numbers: floors keep the highest ones for later galleries.
        galleries.delete(gallery_id.encode())
        raise_floors(transaction, Floors(revision, record.next_number))
    return revision


class Changes(Contents):
    """A gallery that is being changed in a write transaction.

    Methods write the tables at once, but vectors, means and the gallery's record (counts, revision) stay here
    until `save`. So call `save` last; a transaction that ends without it must be aborted.
    """

    def __init__(self, transaction: Transaction, gallery_id: str) -> None:
        """Finds the gallery; raises GalleryNotFound."""
        super().__init__(transaction, gallery_id)
        self._galleries = transaction.table("galleries")
        self._editor = BlockEditor(self.block_table, self.layout, self.record.template_count)
        self._projection = Projection(
            self.template_table, self._editor, self.mean_table, self.layout, self.record.mean_count
        )
        self.crops = KeptCrops(transaction, gallery_id)
        self.memory = EnrollmentMemory(transaction, gallery_id, self.record)

    def save(self) -> int:
        """Writes the changed blocks and the gallery's record, once, after all changes; returns the new revision."""
        self._projection.save(self.record)
        self._editor.flush()
        self.record.revision += 1
        self.record.template_count = self._editor.row_count
        self._galleries.put(self.gallery_id.encode(), self.record.SerializeToString())
        return self.record.revision

    def take_number(self) -> int:
        """Returns a number that this gallery never used before."""
        number = self.record.next_number
        self.record.next_number += 1
        return number

    def add_identity(self, identity_id: str, display_name: str, created_at_us: int) -> Identity:
        """Adds an identity; raises IdentityExists and InvalidField."""
        checked_identity_id(identity_id)
        if self.find_identity(identity_id) is not None:
            raise IdentityExists("an identity of this id exists")
        record = Identity(
            number=self.take_number(),
            display_name=display_name or identity_id,
            created_at_us=created_at_us,
        )
        self.put_identity(identity_id, record)
        self.identity_id_table.put(number_key(record.number), identity_id.encode())
        self.record.identity_count += 1
        return record

    def put_identity(self, identity_id: str, record: Identity) -> None:
        """Writes the record of an identity, new or changed."""
        self.identity_table.put(identity_id.encode(), record.SerializeToString())

    def rename_identity(self, identity_id: str, display_name: str) -> None:
        """Changes the name of an identity; raises IdentityNotFound. Its old name is deleted."""
        record = self.identity(identity_id)
        if record.display_name != display_name:
            record.display_name = display_name
            self._note_deletion()
        self.put_identity(identity_id, record)

    def _note_deletion(self) -> None:
        self.record.pending_purge_count += 1
        note_deletion(self._transaction, now_us())

    def has_template(self, template_id: str) -> bool:
        """Whether there is a template of this id; raises InvalidField if it is not a valid id."""
        checked_template_id(template_id)
        return self.template_key_table.get(bytes.fromhex(template_id)) is not None

    def add_template(
        self, identity: Identity, info: TemplateInfo, embedding: NDArray[np.float32]
    ) -> bytes:
        """Adds a template and increments its identity's count; returns the key of its record.

        Raises:
            InvalidField: its id is not a valid template id, or is taken.
        """
        if self.has_template(info.template_id):
            raise InvalidField("a template of this id exists", field="template_id")
        owner = RowOwner(identity.number, self.take_number())
        key = number_key(*owner)
        record = Template(
            template_id=bytes.fromhex(info.template_id),
            row=self._editor.append(owner, embedding),
            quality=quality_record(info.quality),
            detection_score=info.detection_score,
            created_at_us=info.created_at_us,
            source=info.source,
        )
        self.template_table.put(key, record.SerializeToString())
        self.template_key_table.put(record.template_id, key)
        self._projection.template_added(identity.number)
        identity.template_count += 1
        self.put_identity(info.identity_id, identity)
        return key

    def add_negative_example(
        self,
        identity: Identity,
        info: NegativeExampleInfo,
        embedding: NDArray[np.float32],
        *,
        box: Sequence[float] = (),
        request: tuple[str, bytes] = ("", b""),
    ) -> NegativeExample:
        """Adds a negative example and increments its identity's count; `request` is its id and its fingerprint.

        Raises:
            InvalidField: its id is not valid, or is taken.
            GalleryFull: the identity has as many as it may.
        """
        checked_template_id(info.negative_example_id, "negative_example_id")
        if self.negative_examples.has(info.negative_example_id):
            raise InvalidField("a negative example of this id exists", field="negative_example_id")
        request_id, fingerprint = request
        record = self.negative_examples.add(
            identity,
            self.take_number(),
            info,
            embedding,
            box=box,
            request_id=request_id,
            fingerprint=fingerprint,
        )
        self.put_identity(info.identity_id, identity)
        return record

    def delete_negative_example(self, negative_example_id: str) -> int:
        """Deletes a negative example; returns its number; raises NegativeExampleNotFound."""
        key = self.negative_examples.key(negative_example_id)
        identity_id = self.owner_id(key)
        identity = self.identity(identity_id)
        self.negative_examples.delete(identity, [key])
        self.put_identity(identity_id, identity)
        self._note_deletion()
        return int.from_bytes(key[8:], "big")

    def delete_identity(self, identity_id: str) -> int:
        """Deletes an identity, its templates, its negative examples and its remembered enrollments.

        Returns:
            The number of templates deleted.

        Raises:
            IdentityNotFound: no such identity.
        """
        identity = self.identity(identity_id)
        start = number_key(identity.number)
        keys = [key for key, _ in self.template_table.scan(start)]
        for key in keys:
            self._remove_template(key)
        self.negative_examples.delete_all(identity)
        self.memory.forget_identity(identity.number)
        self.identity_table.delete(identity_id.encode())
        for number in (identity.number, *(one.number for one in identity.merged)):
            self.identity_id_table.delete(number_key(number))
        self.record.identity_count -= 1
        self._note_deletion()
        return len(keys)

    def delete_template(self, template_id: str) -> int:
        """Deletes a template, and returns its number; raises TemplateNotFound."""
        key = self.template_key(template_id)
        self._remove_template(key)
        identity_id = self.owner_id(key)
        identity = self.identity(identity_id)
        identity.template_count -= 1
        self.put_identity(identity_id, identity)
        self._note_deletion()
        return row_owner(key).template_number

    def _remove_template(self, key: bytes) -> None:
        record = self.template(key)
        self.template_table.delete(key)
        self.template_key_table.delete(record.template_id)
        self.crops.delete(key)
        self._projection.template_removed(key, record)
        moved = self._editor.remove(record.row)
        if moved is not None:
            moved_key = number_key(*moved)
            moved_record = self.template(moved_key)
            moved_record.row = record.row
            self.template_table.put(moved_key, moved_record.SerializeToString())
