"""Templates that change their identity, in a write transaction: two identities that are one person, and one that is two."""

from collections.abc import Sequence

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.blocks import row_owner
from facewire_server.backends.lmdb_gallery.changes import Changes, now_us
from facewire_server.backends.lmdb_gallery.records_pb2 import Identity, MergedIdentity
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.errors import IdentityExists, InvalidField, TemplateNotFound
from facewire_server.galleries.ids import checked_new_identity_id
from facewire_server.galleries.vector_search import RowOwner

__all__ = ["Moves"]


class Moves(Changes):
    """A gallery whose templates are moved from one identity to another; a template keeps its id, number and crop."""

    def __init__(
        self, transaction: Transaction, gallery_id: str, crop_keys: CropKeys | None
    ) -> None:
        """Finds the gallery; raises GalleryNotFound. The keys encrypt the kept crops for their new person."""
        super().__init__(transaction, gallery_id)
        self._crop_keys = crop_keys

    def merge(self, identity_id: str, merged_id: str) -> int:
        """Moves all templates, negative examples and remembered enrollments of an identity to another one, and deletes the first.

        References to the merged identity stand for the other one from now on.

        Args:
            identity_id: who stays, as stored.
            merged_id: who goes, as stored.

        Returns:
            The number of templates moved.

        Raises:
            IdentityNotFound: one of them does not exist.
            InvalidField: they are the same.
            GalleryFull: together they have more negative examples than one may.
            CropKeyMissing: a crop is kept, and there is no key.
        """
        identity, merged = self.identity(identity_id), self.identity(merged_id)
        if identity_id == merged_id:
            raise InvalidField(
                "an identity cannot be merged with itself", field="merged_identity_id"
            )
        keys = list(self.template_table.keys(number_key(merged.number)))
        self._move(keys, (merged_id, identity_id), identity)
        identity.template_count += len(keys)
        self.negative_examples.move(merged, identity)
        identity.merged.append(
            MergedIdentity(number=merged.number, created_at_us=merged.created_at_us)
        )
        identity.merged.extend(merged.merged)
        self.put_identity(identity_id, identity)
        self.identity_table.delete(merged_id.encode())
        for one in identity.merged:
            self.identity_id_table.put(number_key(one.number), identity_id.encode())
        self.memory.move(merged.number, identity.number)
        self.record.identity_count -= 1
        self._note_deletion()
        return len(keys)

    def split(
        self, identity_id: str, template_ids: Sequence[str], new_id: str, display_name: str
    ) -> None:
        """Moves some templates of an identity, as stored, to a new one.

        Raises:
            IdentityNotFound: no such identity.
            TemplateNotFound: one of the templates is not the identity's.
            IdentityExists: there is one of the new id.
            InvalidField: the new id is not valid.
            CropKeyMissing: a crop is kept, and there is no key.
        """
        identity = self.identity(identity_id)
        if self.find_identity(self.stored_id(new_id)) is not None:
            raise IdentityExists("an identity of this id exists")
        new_id = checked_new_identity_id(new_id)
        keys = [self.template_key(one) for one in dict.fromkeys(template_ids)]
        if any(row_owner(key).identity_number != identity.number for key in keys):
            raise TemplateNotFound("no such template of the identity")
        created = self.add_identity(new_id, display_name, now_us())
        self._move(keys, (identity_id, new_id), created)
        identity.template_count -= len(keys)
        self.put_identity(identity_id, identity)
        created.template_count = len(keys)
        self.put_identity(new_id, created)
        self.memory.move(identity.number, created.number, set(template_ids))

    def _move(self, keys: Sequence[bytes], identity_ids: tuple[str, str], to: Identity) -> None:
        for key in keys:
            record, owner = self.template(key), row_owner(key)
            new_owner = RowOwner(to.number, owner.template_number)
            new_key = number_key(*new_owner)
            self.crops.move(key, new_key, record.template_id, identity_ids, self._crop_keys)
            self.template_table.delete(key)
            self._projection.template_removed(key, record)
            self._editor.give(record.row, owner, new_owner)
            record.mean_number = record.mean_row = 0
            self.template_table.put(new_key, record.SerializeToString())
            self.template_key_table.put(record.template_id, new_key)
            self._projection.template_added(to.number)
