"""Whole galleries out and in: an export at one moment, an import in parts."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager, closing
from dataclasses import replace
from itertools import islice

from facewire_server.backends.lmdb_gallery.block_checks import BlockChecks
from facewire_server.backends.lmdb_gallery.changes import Changes
from facewire_server.backends.lmdb_gallery.contents import Contents
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.snapshot import Snapshot
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.transaction_threads import TransactionThreads
from facewire_server.galleries.ids import composed
from facewire_server.galleries.records import (
    ExportedNegativeExample,
    ExportedTemplate,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
)
from facewire_server.galleries.transfer import checked_parts

__all__ = ["export_gallery", "import_records"]

_PAGE_RECORDS = 64
"""Records that an export reads in one call: 128 KiB of embeddings of 512 numbers. Chosen, not measured."""


@asynccontextmanager
async def export_gallery(
    environment: Environment,
    threads: TransactionThreads,
    gallery_id: str,
    model_contract_id: str,
    checks: BlockChecks,
) -> AsyncGenerator[tuple[GalleryInfo, AsyncIterator[GalleryRecord]], None]:
    """Opens a snapshot for the block; see `GalleryAdmin.export_records`."""
    with ExitStack() as stack:

        def open_gallery() -> tuple[Snapshot, GalleryInfo]:
            # Put on the stack here: if the caller was cancelled, it never receives the snapshot to close it.
            snapshot = stack.enter_context(closing(environment.snapshot()))
            with snapshot.step() as transaction:
                gallery = Contents(transaction, gallery_id)
                return snapshot, gallery.require_model_contract(model_contract_id).info

        snapshot, info = await threads.call(open_gallery)
        records = _records(snapshot, gallery_id, checks)
        async with aclosing(_in_threads(threads, records)) as exported:
            yield info, exported


async def _in_threads(
    threads: TransactionThreads, records: Iterator[GalleryRecord]
) -> AsyncGenerator[GalleryRecord, None]:
    """Yields the records; reads a page in each call in a thread, and holds none in between."""
    while page := await threads.call(lambda: list(islice(records, _PAGE_RECORDS))):
        for record in page:
            yield record


def _records(snapshot: Snapshot, gallery_id: str, checks: BlockChecks) -> Iterator[GalleryRecord]:
    last_id = ""
    while True:
        with snapshot.step() as transaction:
            contents = Contents(transaction, gallery_id)
            page = list(islice(contents.identities(last_id), _PAGE_RECORDS))
        for identity in page:
            yield identity
            yield from _templates(snapshot, gallery_id, identity.identity_id, checks)
            if identity.negative_example_count:
                with snapshot.step() as transaction:
                    contents = Contents(transaction, gallery_id)
                    record = contents.identity(identity.identity_id)
                    exported = contents.negative_examples.exported(identity.identity_id, record)
                yield from exported
        if len(page) < _PAGE_RECORDS:
            return
        last_id = page[-1].identity_id


def _templates(
    snapshot: Snapshot, gallery_id: str, identity_id: str, checks: BlockChecks
) -> Iterator[ExportedTemplate]:
    last_id = ""
    while True:
        with snapshot.step() as transaction:
            contents = Contents(transaction, gallery_id, checks)
            page = list(islice(contents.exported_templates(identity_id, last_id), _PAGE_RECORDS))
        yield from page
        if len(page) < _PAGE_RECORDS:
            return
        last_id = page[-1].info.template_id


async def import_records(
    threads: TransactionThreads,
    gallery_id: str,
    model_contract_id: str,
    dimension: int,
    records: AsyncIterator[GalleryRecord],
    committed: Callable[[ImportCounts], None],
) -> ImportCounts:
    """Adds records made under this contract; see `GalleryAdmin.import_records`."""
    revision = await threads.read(
        lambda transaction: (
            Contents(transaction, gallery_id)
            .require_model_contract(model_contract_id)
            .record.revision
        )
    )
    total = ImportCounts(0, 0, 0, revision)
    async with aclosing(checked_parts(records, dimension)) as parts:
        async for part in parts:

            def change(
                transaction: Transaction, part: Sequence[GalleryRecord] = part
            ) -> ImportCounts:
                changes = Changes(transaction, gallery_id)
                return _add(changes.require_model_contract(model_contract_id), part)

            added = await threads.write(change)
            committed(added)
            total = _sum(total, added)
            # A cancelled import ends between two parts: it can be sent again.
            await asyncio.sleep(0)
    return total


def _sum(total: ImportCounts, part: ImportCounts) -> ImportCounts:
    return ImportCounts(
        total.identities_added + part.identities_added,
        total.templates_added + part.templates_added,
        total.templates_skipped + part.templates_skipped,
        part.revision,
        total.negative_examples_added + part.negative_examples_added,
        total.negative_examples_skipped + part.negative_examples_skipped,
    )


def _add(changes: Changes, part: Sequence[GalleryRecord]) -> ImportCounts:
    """Adds a checked part; saves only if something was new."""
    identities_added = templates_added = templates_skipped = 0
    negatives_added = negatives_skipped = 0
    owner = None
    owner_id = ""
    for record in part:
        if isinstance(record, IdentityInfo):
            owner_id = changes.stored_id(record.identity_id)
            owner = changes.find_identity(owner_id)
            if owner is None:
                owner_id = composed(record.identity_id)
                owner = changes.add_identity(owner_id, record.display_name, record.created_at_us)
                identities_added += 1
        elif isinstance(record, ExportedNegativeExample):
            if changes.negative_examples.has(record.info.negative_example_id):
                negatives_skipped += 1
            elif owner is not None:
                negative = replace(record.info, identity_id=owner_id)
                changes.add_negative_example(owner, negative, record.embedding)
                negatives_added += 1
        elif changes.has_template(record.info.template_id):
            templates_skipped += 1
        elif owner is not None:  # `checked_parts` has checked that an identity comes first
            info = replace(record.info, identity_id=owner_id)
            changes.add_template(owner, info, record.embedding)
            templates_added += 1
    added = identities_added or templates_added or negatives_added
    revision = changes.save() if added else changes.record.revision
    return ImportCounts(
        identities_added,
        templates_added,
        templates_skipped,
        revision,
        negatives_added,
        negatives_skipped,
    )
