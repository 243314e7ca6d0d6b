"""References to people, for a journal that keeps no names, and the names that they stand for."""

from collections.abc import Collection

from facewire_server.backends.lmdb_gallery.contents import Contents
from facewire_server.backends.lmdb_gallery.records_pb2 import Identity
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.errors import GalleryNotFound
from facewire_server.galleries.records import PersonName, PersonReference

__all__ = ["names_of", "references_to"]


def references_to(
    transaction: Transaction, gallery_id: str, identity_ids: Collection[str]
) -> dict[str, PersonReference]:
    """Returns the references of the identities that exist, by the id that was asked about."""
    contents = _contents(transaction, gallery_id)
    found: dict[str, PersonReference] = {}
    for identity_id in identity_ids:
        record = contents and contents.find_identity(contents.stored_id(identity_id))
        if record:
            found[identity_id] = PersonReference(gallery_id, record.number, record.created_at_us)
    return found


def names_of(
    transaction: Transaction, references: Collection[PersonReference]
) -> dict[PersonReference, PersonName]:
    """Returns the names of the people who exist."""
    galleries = {one.gallery_id for one in references}
    contents = {gallery_id: _contents(transaction, gallery_id) for gallery_id in galleries}
    found: dict[PersonReference, PersonName] = {}
    for reference in references:
        name = _name(contents[reference.gallery_id], reference)
        if name is not None:
            found[reference] = name
    return found


def _contents(transaction: Transaction, gallery_id: str) -> Contents | None:
    try:
        return Contents(transaction, gallery_id)
    except GalleryNotFound:
        return None


def _name(contents: Contents | None, reference: PersonReference) -> PersonName | None:
    if contents is None:
        return None
    identity_id = contents.identity_id_table.get(number_key(reference.number))
    if identity_id is None:
        return None
    record = Identity.FromString(contents.identity_table.get(identity_id) or b"")
    known = [(record.number, record.created_at_us)]
    known += [(one.number, one.created_at_us) for one in record.merged]
    if (reference.number, reference.created_at_us) not in known:
        return None
    return PersonName(identity_id.decode(), record.display_name)
