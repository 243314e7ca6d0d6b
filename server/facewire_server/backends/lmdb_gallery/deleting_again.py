"""Deletes, in the copy of a backup, who was deleted after it."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from facewire_server.backends.lmdb_gallery.blocks import row_owner
from facewire_server.backends.lmdb_gallery.changes import Changes, delete_gallery
from facewire_server.backends.lmdb_gallery.contents import Contents
from facewire_server.backends.lmdb_gallery.records_pb2 import Template
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.galleries.deletions import Deleted

__all__ = ["DeletedAgain", "delete_again"]


class DeletedAgain(NamedTuple):
    """What was deleted again.

    Attributes:
        galleries, identities, templates, negative_examples: how many; those of a gallery that was deleted as a whole are not counted.
        unclear: gallery and identity ids of those who hold templates of a person who was deleted, and perhaps their own.
    """

    galleries: int = 0
    identities: int = 0
    templates: int = 0
    negative_examples: int = 0
    unclear: tuple[tuple[str, str], ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was deleted."""
        return not any(self.counts().values())

    def counts(self) -> dict[str, int]:
        """Returns how many, by what."""
        return {
            "galleries": self.galleries,
            "identities": self.identities,
            "templates": self.templates,
            "negative_examples": self.negative_examples,
        }


def delete_again(copied: Transaction, deleted: Mapping[str, Deleted]) -> DeletedAgain:
    """Deletes in a write transaction on the copy what a log says by gallery id; what is not in the copy is passed over."""
    galleries = identities = templates = examples = 0
    unclear: list[tuple[str, str]] = []
    for gallery_id, one in deleted.items():
        if one.is_gallery:
            record = Contents(copied, gallery_id).record
            delete_gallery(copied, gallery_id, record.model_contract_id, record.dimension)
            galleries += 1
            continue
        changes = Changes(copied, gallery_id)
        whole, mixed = _identity_ids(changes, one.records)
        for identity_id in whole:
            changes.delete_identity(identity_id)
        found = _template_ids(changes, one.templates)
        for template_id in found:
            changes.delete_template(template_id)
        found_examples = changes.negative_examples.ids_of(one.templates)
        for example_id in found_examples:
            changes.delete_negative_example(example_id)
        mixed += _identity_ids(changes, one.unclear)[0]
        if whole or found or found_examples:
            changes.save()
        identities, templates = identities + len(whole), templates + len(found)
        examples += len(found_examples)
        unclear += ((gallery_id, identity_id) for identity_id in dict.fromkeys(mixed))
    return DeletedAgain(galleries, identities, templates, examples, tuple(unclear))


def _identity_ids(contents: Contents, records: Collection[int]) -> tuple[list[str], list[str]]:
    """Returns whose own numbers these are, and into whom others of these numbers were merged."""
    own: list[str] = []
    merged: list[str] = []
    for record in sorted(records):
        key = contents.identity_id_table.get(number_key(record))
        if key is not None:
            identity_id = key.decode()
            is_own = contents.identity(identity_id).number == record
            (own if is_own else merged).append(identity_id)
    return own, [one for one in merged if one not in own]


def _template_ids(contents: Contents, numbers: Collection[int]) -> list[str]:
    if not numbers:
        return []
    return [
        Template.FromString(value).template_id.hex()
        for key, value in contents.template_table.scan()
        if row_owner(key).template_number in numbers
    ]
