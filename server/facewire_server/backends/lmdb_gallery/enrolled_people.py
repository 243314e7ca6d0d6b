"""Reads who is in a gallery, for the checkup: all means, and all templates with their vectors."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facewire_server.backends.lmdb_gallery.block_checks import BlockChecks
from facewire_server.backends.lmdb_gallery.blocks import row_owner
from facewire_server.backends.lmdb_gallery.contents import Contents
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.listing import listed_galleries
from facewire_server.backends.lmdb_gallery.means import is_oldest_of_mean
from facewire_server.backends.lmdb_gallery.quality_records import quality_of
from facewire_server.backends.lmdb_gallery.reading import reading_galleries
from facewire_server.backends.lmdb_gallery.records_pb2 import Identity, Template
from facewire_server.backends.lmdb_gallery.storage_check import damaged_galleries
from facewire_server.backends.lmdb_storage.generations import generations
from facewire_server.backends.lmdb_storage.vendor_errors import damaged
from facewire_server.galleries.checkup import EnrolledPeople, StoredTemplate
from facewire_server.galleries.records import GalleryInfo
from facewire_server.galleries.vector_search import RowOwner

__all__ = ["enrolled_people", "gallery_ids", "people_of"]


def gallery_ids(folder: Path) -> tuple[list[str], set[str]]:
    """Returns the ids of all galleries, in order, and which of them are damaged; reads all of them in a process of its own.

    Raises:
        StorageDamaged, StorageBusy: the storage cannot be read.
        OSError: there is none, or it is of an earlier format.
    """
    if not (folder.is_dir() and generations(folder)):
        raise OSError(f"there is no gallery in {folder}: name the data folder of the server")
    unsound = set(damaged_galleries(folder))
    with reading_galleries(folder) as transaction:
        if transaction.table("meta").get(b"format") != GALLERY_STORAGE.format:
            raise OSError(
                f"the galleries in {folder} are of another version: start this version's server once, which upgrades them"
            )
        found, unreadable = listed_galleries(transaction)
    unsound |= unreadable
    return sorted({one.gallery_id for one in found} | unsound), unsound


def enrolled_people(folder: Path, gallery_id: str) -> tuple[GalleryInfo, EnrolledPeople]:
    """Copies what a gallery's people are searched by; the transaction is closed then, however long the copies are compared.

    Raises:
        GalleryNotFound: no such gallery.
        GalleryDamaged, StorageDamaged, StorageBusy, OSError: it cannot be read.
    """
    with reading_galleries(folder) as transaction:
        contents = Contents(transaction, gallery_id, BlockChecks())
        return contents.info, people_of(contents)


def people_of(contents: Contents) -> EnrolledPeople:
    """Copies what the people of a gallery are searched by; raises GalleryDamaged."""
    identities = {record.number: (key.decode(), record) for key, record in _identities(contents)}
    place_of: dict[int, int] = {}
    people: list[tuple[str, Identity]] = []
    mean_places: list[tuple[int, RowOwner]] = []
    mean_ids: list[str] = []
    starts: list[int] = []
    templates: list[tuple[RowOwner, Template]] = []
    for key, value in contents.template_table.scan():
        record, owner = Template.FromString(value), row_owner(key)
        templates.append((owner, record))
        if record.mean_number and is_oldest_of_mean(key, record):
            if owner.identity_number not in place_of:
                if owner.identity_number not in identities:
                    raise damaged("an identity is missing")
                place_of[owner.identity_number] = len(people)
                people.append(identities[owner.identity_number])
                starts.append(len(mean_places))
            mean_places.append((record.mean_row, owner))
            mean_ids.append(record.template_id.hex())
    if any(owner.identity_number not in place_of for owner, _ in templates):
        raise damaged("a mean is missing")
    return EnrolledPeople(
        identity_ids=tuple(identity_id for identity_id, _ in people),
        display_names=tuple(record.display_name for _, record in people),
        starts=np.array([*starts, len(mean_places)], np.int64),
        means=contents.means.rows(mean_places),
        template_ids=tuple(mean_ids),
        templates=tuple(
            StoredTemplate(
                place_of[owner.identity_number],
                record.template_id.hex(),
                quality_of(record.quality),
                is_searched=bool(record.mean_number),
            )
            for owner, record in templates
        ),
        embeddings=contents.blocks.rows([(record.row, owner) for owner, record in templates]),
    )


def _identities(contents: Contents) -> Iterator[tuple[bytes, Identity]]:
    for key, value in contents.identity_table.scan():
        yield key, Identity.FromString(value)
