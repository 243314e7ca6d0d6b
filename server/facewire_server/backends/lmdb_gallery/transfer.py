"""Whole galleries out and in: an export at one moment, an import in parts of bounded size."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import cast

from facewire_server.backends.lmdb_gallery.changes import Changes
from facewire_server.backends.lmdb_gallery.checks import (
    check_identity_id,
    check_template_id,
    checked_embeddings,
)
from facewire_server.backends.lmdb_gallery.contents import Contents
from facewire_server.backends.lmdb_gallery.environment import Environment, Snapshot
from facewire_server.backends.lmdb_gallery.tables import Transaction
from facewire_server.errors import OutOfOrder, ServerError
from facewire_server.galleries.records import (
    ExportedTemplate,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
)

__all__ = ["export_gallery", "import_records"]

_STEP_RECORDS = 256
_PART_RECORDS = 1024
"""An import commits (and waits for the disk) once in so many records."""


def export_gallery(
    environment: Environment, gallery_id: str, model_contract_id: str
) -> tuple[GalleryInfo, Generator[GalleryRecord, None, None]]:
    """Opens a snapshot; answers the gallery, and its records, to be exhausted or closed.

    Raises:
        GalleryNotFound, ModelContractMismatch: at once.
        StorageBusy: from the records, where the map had to be moved meanwhile.
    """
    records = _exported(environment, gallery_id, model_contract_id)
    # The generator is inside its `with` from now on, so that closing it ends the snapshot.
    info = cast(GalleryInfo, next(records))
    return info, cast(Generator[GalleryRecord, None, None], records)


def _exported(
    environment: Environment, gallery_id: str, model_contract_id: str
) -> Generator[GalleryInfo | GalleryRecord, None, None]:
    with closing(environment.snapshot()) as snapshot:
        with snapshot.step() as transaction:
            info = Contents(transaction, gallery_id).of_contract(model_contract_id).info
        yield info
        last_id = ""
        while True:
            with snapshot.step() as transaction:
                contents = Contents(transaction, gallery_id)
                page = list(islice(contents.identities(last_id), _STEP_RECORDS))
            for identity in page:
                yield identity
                yield from _exported_templates(snapshot, gallery_id, identity.identity_id)
            if len(page) < _STEP_RECORDS:
                return
            last_id = page[-1].identity_id


def _exported_templates(
    snapshot: Snapshot, gallery_id: str, identity_id: str
) -> Iterator[ExportedTemplate]:
    last_id = ""
    while True:
        with snapshot.step() as transaction:
            contents = Contents(transaction, gallery_id)
            page = list(islice(contents.exported_templates(identity_id, last_id), _STEP_RECORDS))
        yield from page
        if len(page) < _STEP_RECORDS:
            return
        last_id = page[-1].info.template_id


def import_records(
    environment: Environment,
    gallery_id: str,
    model_contract_id: str,
    dimension: int,
    records: Iterable[GalleryRecord],
) -> ImportCounts:
    """Adds records made under this contract; see `Gallery.import_records`."""
    with environment.read() as transaction:
        gallery = Contents(transaction, gallery_id).of_contract(model_contract_id).record
    total = ImportCounts(0, 0, 0, gallery.revision)
    for part in _parts(records, dimension):

        def change(transaction: Transaction, part: Sequence[GalleryRecord] = part) -> ImportCounts:
            changes = Changes(transaction, gallery_id).of_contract(model_contract_id)
            return _add(changes, part)

        added = environment.write(change)
        total = ImportCounts(
            total.identities_added + added.identities_added,
            total.templates_added + added.templates_added,
            total.templates_skipped + added.templates_skipped,
            added.revision,
        )
    return total


def _parts(records: Iterable[GalleryRecord], dimension: int) -> Iterator[Sequence[GalleryRecord]]:
    """Checks records and cuts them into parts, each of which starts with an identity.

    What came before a record at fault is answered as a part before the error is raised.

    Raises:
        OutOfOrder, InvalidField: as `Gallery.import_records`.
    """
    identity: IdentityInfo | None = None
    part: list[GalleryRecord] = []
    try:
        for record in records:
            if isinstance(record, IdentityInfo):
                check_identity_id(record.identity_id)
                identity = record
            else:
                if identity is None or record.info.identity_id != identity.identity_id:
                    raise OutOfOrder("a template that does not follow its identity")
                check_template_id(record.info.template_id)
                checked_embeddings(record.embedding[None], dimension)
            if not part and identity is not record:
                # The identity may have been deleted since the part before.
                part.append(identity)
            part.append(record)
            if len(part) >= _PART_RECORDS:
                yield part
                part = []
    except ServerError:
        yield part
        raise
    yield part


def _add(changes: Changes, part: Sequence[GalleryRecord]) -> ImportCounts:
    """Adds a checked part; saves only where something was new."""
    identities_added = templates_added = templates_skipped = 0
    owner = None
    for record in part:
        if isinstance(record, IdentityInfo):
            owner = changes.find_identity(record.identity_id)
            if owner is None:
                owner = changes.add_identity(
                    record.identity_id, record.display_name, record.created_at_us
                )
                identities_added += 1
        elif changes.has_template(record.info.template_id):
            templates_skipped += 1
        elif owner is not None:
            changes.add_template(owner, record.info, record.embedding)
            templates_added += 1
    added = identities_added or templates_added
    revision = changes.save() if added else changes.record.revision
    return ImportCounts(identities_added, templates_added, templates_skipped, revision)
