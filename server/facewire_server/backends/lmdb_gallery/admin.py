"""The port `GalleryAdmin` on LMDB: managing galleries, identities and templates."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import islice

from facewire_server.backends.lmdb_gallery.changes import (
    Changes,
    create_gallery,
    delete_gallery,
    now_us,
)
from facewire_server.backends.lmdb_gallery.contents import Contents, gallery_info, gallery_sizes
from facewire_server.backends.lmdb_gallery.environment import Environment
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery as GalleryData
from facewire_server.backends.lmdb_gallery.tables import Transaction
from facewire_server.backends.lmdb_gallery.transaction_threads import TransactionThreads
from facewire_server.backends.lmdb_gallery.transfer import export_gallery, import_records
from facewire_server.errors import ModelContractMismatch
from facewire_server.galleries.records import (
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
    StoreStatistics,
    TemplateInfo,
)

__all__ = ["LmdbAdmin"]


class LmdbAdmin:
    """The administrative half of `LmdbGallery`."""

    def __init__(
        self,
        environment: Environment,
        threads: TransactionThreads,
        model_contract_id: str,
        dimension: int,
    ) -> None:
        """Takes what `LmdbGallery` opened."""
        self._environment = environment
        self._threads = threads
        self._model_contract_id = model_contract_id
        self._dimension = dimension

    async def statistics(self) -> StoreStatistics:
        """See the port. Reads one record of each gallery, no template and no vector.

        Measured on two busy processors: 0.1 ms, and 2 µs for each gallery.
        """
        statistics = await self._threads.read(
            lambda transaction: self._environment.statistics(gallery_sizes(transaction))
        )
        return replace(statistics, is_writable=not self._threads.is_write_blocked)

    async def create_gallery(self, gallery_id: str, display_name: str) -> GalleryInfo:
        """See the port."""
        return await self._threads.write(
            lambda transaction: self._make(transaction, gallery_id, display_name)
        )

    async def get_gallery(self, gallery_id: str) -> GalleryInfo:
        """See the port."""
        return await self._threads.read(lambda transaction: Contents(transaction, gallery_id).info)

    async def list_galleries(self, after: str, limit: int) -> list[GalleryInfo]:
        """See the port."""

        def listed(transaction: Transaction) -> list[GalleryInfo]:
            # No id is longer than 64 bytes, so cutting `after` to that length changes no comparison.
            found = transaction.table("galleries").scan(after=after.encode()[:65])
            return [
                gallery_info(key.decode(), GalleryData.FromString(value))
                for key, value in islice(found, limit)
            ]

        return await self._threads.read(listed)

    async def delete_gallery(self, gallery_id: str) -> int:
        """See the port. One transaction, whatever the size."""
        return await self._threads.write(
            lambda transaction: delete_gallery(
                transaction, gallery_id, self._model_contract_id, self._dimension
            ),
            beyond_quota=True,
        )

    async def create_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        """See the port."""

        def change(transaction: Transaction) -> tuple[IdentityInfo, int]:
            changes = Changes(transaction, gallery_id)
            changes.add_identity(identity_id, display_name, now_us())
            return changes.identity_info(identity_id), changes.save()

        return await self._threads.write(change)

    async def get_identity(self, gallery_id: str, identity_id: str) -> IdentityInfo:
        """See the port."""
        return await self._threads.read(
            lambda transaction: Contents(transaction, gallery_id).identity_info(identity_id)
        )

    async def list_identities(self, gallery_id: str, after: str, limit: int) -> list[IdentityInfo]:
        """See the port."""
        return await self._threads.read(
            lambda transaction: list(
                islice(Contents(transaction, gallery_id).identities(after), limit)
            )
        )

    async def update_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        """See the port."""

        def change(transaction: Transaction) -> tuple[IdentityInfo, int]:
            changes = Changes(transaction, gallery_id)
            record = changes.identity(identity_id)
            record.display_name = display_name
            changes.put_identity(identity_id, record)
            return changes.identity_info(identity_id), changes.save()

        return await self._threads.write(change)

    async def delete_identity(self, gallery_id: str, identity_id: str) -> tuple[int, int]:
        """See the port."""

        def change(transaction: Transaction) -> tuple[int, int]:
            changes = Changes(transaction, gallery_id)
            return changes.delete_identity(identity_id), changes.save()

        return await self._threads.write(change, beyond_quota=True)

    async def list_templates(
        self, gallery_id: str, identity_id: str, after: str, limit: int
    ) -> list[TemplateInfo]:
        """See the port."""
        return await self._threads.read(
            lambda transaction: list(
                islice(Contents(transaction, gallery_id).templates(identity_id, after), limit)
            )
        )

    async def delete_template(self, gallery_id: str, template_id: str) -> int:
        """See the port."""

        def change(transaction: Transaction) -> int:
            changes = Changes(transaction, gallery_id)
            changes.delete_template(template_id)
            return changes.save()

        return await self._threads.write(change, beyond_quota=True)

    def export_records(
        self, gallery_id: str
    ) -> AbstractAsyncContextManager[tuple[GalleryInfo, AsyncIterator[GalleryRecord]]]:
        """See the port."""
        return export_gallery(self._environment, self._threads, gallery_id, self._model_contract_id)

    async def import_records(
        self,
        gallery_id: str,
        model_contract_id: str,
        records: AsyncIterator[GalleryRecord],
        *,
        committed: Callable[[ImportCounts], None] = lambda counts: None,
    ) -> ImportCounts:
        """See the port."""
        if model_contract_id != self._model_contract_id:
            raise ModelContractMismatch("the export was made with another model")
        return await import_records(
            self._threads, gallery_id, model_contract_id, self._dimension, records, committed
        )

    def _make(
        self, transaction: Transaction, gallery_id: str, display_name: str = ""
    ) -> GalleryInfo:
        return create_gallery(
            transaction, gallery_id, display_name, self._model_contract_id, self._dimension
        ).info
