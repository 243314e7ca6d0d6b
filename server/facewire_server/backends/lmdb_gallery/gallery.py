"""The gallery port on LMDB: each call is one transaction."""

from collections.abc import Generator, Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from facewire_server.backends.lmdb_gallery.changes import (
    Changes,
    create_gallery,
    delete_gallery,
    now_us,
)
from facewire_server.backends.lmdb_gallery.checks import checked_embeddings
from facewire_server.backends.lmdb_gallery.contents import Contents, find_gallery, gallery_info
from facewire_server.backends.lmdb_gallery.enrollment import EnrollmentRequest
from facewire_server.backends.lmdb_gallery.environment import Environment
from facewire_server.backends.lmdb_gallery.memory import EnrollmentMemory
from facewire_server.backends.lmdb_gallery.nearest import nearest
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery as GalleryData
from facewire_server.backends.lmdb_gallery.tables import Transaction
from facewire_server.backends.lmdb_gallery.transfer import export_gallery, import_records
from facewire_server.errors import GalleryExists, ModelContractMismatch
from facewire_server.galleries.records import (
    DEFAULT_GALLERY_ID,
    Enrollment,
    EnrollmentResult,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
    NewIdentity,
    SearchResult,
    TemplateInfo,
)

__all__ = ["LmdbGallery"]


class LmdbGallery:
    """The galleries in a folder; see `facewire_server.pipeline.ports.Gallery`.

    Opening waits for a writer of another process, and limits the BLAS library of numpy
    to one thread in the whole process: searches run beside each other already, each on a
    thread of its caller. Open it once in a process, after any fork.
    """

    def __init__(
        self,
        path: Path,
        *,
        model_contract_id: str,
        dimension: int,
        max_bytes: int = 64 << 30,
        map_bytes: int = 4 << 30,
    ) -> None:
        """Opens the storage; makes it, and the gallery "default", where there is none.

        Args:
            path: folder of the storage, on a local file system.
            model_contract_id: whose embeddings are taken and searched.
            dimension: length of an embedding.
            max_bytes: size of the storage's file beyond which additions raise GalleryFull;
                among several processes the largest counts.
            map_bytes: address space to start with; it is doubled when it is used up.

        Raises:
            OSError: the folder cannot be used, is used by another container, is open in
                this process already, or was made by another version.
        """
        threadpool_limits(1, user_api="blas")  # for good: at each search it would cost more than it
        self._model_contract_id = model_contract_id
        self._dimension = dimension
        self._environment = Environment(path, map_bytes=map_bytes, max_bytes=max_bytes)
        try:
            self.create_gallery(DEFAULT_GALLERY_ID, "")
        except GalleryExists:
            pass
        except BaseException:
            self.close()
            raise

    @property
    def model_contract_id(self) -> str:
        """The model contract whose embeddings this object takes and searches."""
        return self._model_contract_id

    def search(self, gallery_id: str, probes: NDArray[np.float32], k: int) -> SearchResult:
        """See the port. Reads every vector of the gallery once, whatever the number of probes."""
        if k < 1:
            raise ValueError("k must be 1 or more")
        probes = checked_embeddings(probes, self._dimension)
        with self._environment.read() as transaction:
            contents = Contents(transaction, gallery_id).of_contract(self._model_contract_id)
            best = nearest(contents.blocks, probes, k)
            return SearchResult(
                contents.record.revision, tuple(contents.candidates(hits, k) for hits in best)
            )

    def revision(self, gallery_id: str) -> int:
        """See the port."""
        with self._environment.read() as transaction:
            return find_gallery(transaction, gallery_id).revision

    def create_gallery(self, gallery_id: str, display_name: str) -> GalleryInfo:
        """See the port."""
        return self._environment.write(
            lambda transaction: (
                create_gallery(
                    transaction, gallery_id, display_name, self._model_contract_id, self._dimension
                ).info
            )
        )

    def get_gallery(self, gallery_id: str) -> GalleryInfo:
        """See the port."""
        with self._environment.read() as transaction:
            return Contents(transaction, gallery_id).info

    def list_galleries(self, after: str, limit: int) -> list[GalleryInfo]:
        """See the port."""
        with self._environment.read() as transaction:
            # No id is longer than 64 bytes: the cut changes no comparison.
            found = transaction.table("galleries").scan(after=after.encode()[:65])
            return [
                gallery_info(key.decode(), GalleryData.FromString(value))
                for key, value in islice(found, limit)
            ]

    def delete_gallery(self, gallery_id: str) -> int:
        """See the port. One transaction, whatever the size."""
        return self._environment.write(
            lambda transaction: delete_gallery(
                transaction, gallery_id, self._model_contract_id, self._dimension
            ),
            beyond_quota=True,
        )

    def create_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        """See the port."""

        def change(transaction: Transaction) -> tuple[IdentityInfo, int]:
            changes = Changes(transaction, gallery_id)
            changes.add_identity(identity_id, display_name, now_us())
            return changes.identity_info(identity_id), changes.save()

        return self._environment.write(change)

    def get_identity(self, gallery_id: str, identity_id: str) -> IdentityInfo:
        """See the port."""
        with self._environment.read() as transaction:
            return Contents(transaction, gallery_id).identity_info(identity_id)

    def list_identities(self, gallery_id: str, after: str, limit: int) -> list[IdentityInfo]:
        """See the port."""
        with self._environment.read() as transaction:
            return list(islice(Contents(transaction, gallery_id).identities(after), limit))

    def update_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        """See the port."""

        def change(transaction: Transaction) -> tuple[IdentityInfo, int]:
            changes = Changes(transaction, gallery_id)
            record = changes.identity(identity_id)
            record.display_name = display_name
            changes.put_identity(identity_id, record)
            return changes.identity_info(identity_id), changes.save()

        return self._environment.write(change)

    def delete_identity(self, gallery_id: str, identity_id: str) -> tuple[int, int]:
        """See the port."""

        def change(transaction: Transaction) -> tuple[int, int]:
            changes = Changes(transaction, gallery_id)
            return changes.delete_identity(identity_id), changes.save()

        return self._environment.write(change, beyond_quota=True)

    def list_templates(
        self, gallery_id: str, identity_id: str, after: str, limit: int
    ) -> list[TemplateInfo]:
        """See the port."""
        with self._environment.read() as transaction:
            contents = Contents(transaction, gallery_id)
            return list(islice(contents.templates(identity_id, after), limit))

    def delete_template(self, gallery_id: str, template_id: str) -> int:
        """See the port."""

        def change(transaction: Transaction) -> int:
            changes = Changes(transaction, gallery_id)
            changes.delete_template(template_id)
            return changes.save()

        return self._environment.write(change, beyond_quota=True)

    def remembered_enrollment(
        self, gallery_id: str, request_id: str, fingerprint: bytes
    ) -> Enrollment | None:
        """See the port."""
        with self._environment.read() as transaction:
            record = find_gallery(transaction, gallery_id)
            return EnrollmentMemory(transaction, gallery_id, record).recall(request_id, fingerprint)

    def enroll(
        self,
        gallery_id: str,
        identity: NewIdentity,
        results: Sequence[EnrollmentResult],
        embeddings: NDArray[np.float32],
        *,
        source: str = "",
        request_id: str = "",
        fingerprint: bytes = b"",
    ) -> Enrollment:
        """See the port."""
        embeddings = checked_embeddings(embeddings, self._dimension)
        if len(embeddings) != sum(bool(result.template_id) for result in results):
            raise ValueError("an embedding for each accepted picture is wanted")
        request = EnrollmentRequest(identity, results, embeddings, source, request_id, fingerprint)
        return self._environment.write(
            lambda transaction: request.apply(self._usable_changes(transaction, gallery_id))
        )

    def export_records(
        self, gallery_id: str
    ) -> tuple[GalleryInfo, Generator[GalleryRecord, None, None]]:
        """See the port."""
        return export_gallery(self._environment, gallery_id, self._model_contract_id)

    def import_records(
        self, gallery_id: str, model_contract_id: str, records: Iterable[GalleryRecord]
    ) -> ImportCounts:
        """See the port."""
        if model_contract_id != self._model_contract_id:
            raise ModelContractMismatch("the export was made with another model")
        return import_records(
            self._environment,
            gallery_id,
            self._model_contract_id,
            self._dimension,
            records,
        )

    def close(self) -> None:
        """See the port. Exports that are still open end."""
        self._environment.close()

    def _usable_changes(self, transaction: Transaction, gallery_id: str) -> Changes:
        return Changes(transaction, gallery_id).of_contract(self._model_contract_id)
