"""The gallery ports on LMDB: each call is one transaction in a thread. Here: search and enrollment."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.changes import Changes
from facewire_server.backends.lmdb_gallery.contents import Contents, find_gallery
from facewire_server.backends.lmdb_gallery.enrolled_people import people_of
from facewire_server.backends.lmdb_gallery.enrollment import EnrollmentRequest
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.kept_crops import KeptCrops, require_keys
from facewire_server.backends.lmdb_gallery.memory import EnrollmentMemory
from facewire_server.backends.lmdb_gallery.negative_calls import LmdbNegativeExamples
from facewire_server.backends.lmdb_gallery.people import names_of, references_to
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.transaction_threads import TransactionThreads
from facewire_server.backends.lmdb_storage.vendor_errors import damaged
from facewire_server.backends.lmdb_storage.writer import WRITE_WAIT_S
from facewire_server.errors import GalleryExists, TemplateNotFound
from facewire_server.galleries.checkup import EnrolledPeople
from facewire_server.galleries.embeddings import checked_embeddings
from facewire_server.galleries.gathering import GatheredSearches, Sought
from facewire_server.galleries.records import (
    DEFAULT_GALLERY_ID,
    MAX_PASSED_OVER,
    Enrollment,
    EnrollmentResult,
    GalleryInfo,
    NewIdentity,
    PersonName,
    PersonReference,
    Presence,
    SearchResult,
)
from facewire_server.galleries.vector_search import VectorSearch
from facewire_server.pictures.aligned_crop import png_of
from facewire_server.types import Rgb

__all__ = ["LmdbGallery"]


class LmdbGallery(LmdbNegativeExamples):
    """The galleries in a folder: all ports of `galleries.ports`.

    Opening waits while another process writes. Open it once in a process, after any fork.

    Attributes:
        is_new: opening has made the storage.
    """

    def __init__(
        self,
        path: Path,
        *,
        vector_search: VectorSearch,
        model_contract_id: str,
        dimension: int,
        max_bytes: int = 64 << 30,
        map_bytes: int = 4 << 30,
        read_threads: int = 4,
        write_wait_s: float = WRITE_WAIT_S,
        damaged_galleries: Iterable[str] = (),
        crop_keys: CropKeys | None = None,
        keep_crops: bool = False,
    ) -> None:
        """Opens the storage; makes it, and the gallery "default", if there is none.

        Args:
            path: folder of the storage, on a local file system.
            vector_search: the engine that finds the nearest vectors.
            model_contract_id: whose embeddings are taken and searched.
            dimension: length of an embedding.
            max_bytes: size of the storage's file beyond which additions raise GalleryFull;
                among several processes the largest counts.
            map_bytes: address space to start with; it is doubled when it is used up.
            read_threads: searches and other reads at once.
            write_wait_s: seconds that a write may wait until it begins, while another one runs.
            damaged_galleries: ids of those that a check has found damaged (`soundness`).
            crop_keys: of the kept crops; None = they are not read.
            keep_crops: keep the crops of what is enrolled from now on; needs `crop_keys`.

        Raises:
            WrongCropKey: there are kept crops, and `crop_keys` are not theirs.
            StorageDamaged: the storage's file is empty, cut short or overwritten.
            OSError: the folder cannot be used, is used by another container, is open in
                this process already, or was made by another version.
        """
        environment = Environment(path, GALLERY_STORAGE, map_bytes=map_bytes, max_bytes=max_bytes)
        threads = TransactionThreads(environment, read_threads, write_wait_s=write_wait_s)
        super().__init__(environment, threads, model_contract_id, dimension)
        self._vector_search = vector_search
        self._searches = GatheredSearches(self._search)
        self._damaged.update(damaged_galleries)
        self._crop_keys = crop_keys
        self._keeps_crops = keep_crops
        self.is_new = True
        try:
            if crop_keys is not None:
                with environment.read() as transaction:
                    require_keys(transaction, crop_keys)
            environment.write(lambda transaction: self._make(transaction, DEFAULT_GALLERY_ID))
        except GalleryExists:
            self.is_new = False
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Waits for the running calls and releases the storage; blocks. No call may follow.

        A write that waits for another process is waited for some seconds only.

        An export still open ends: its iterator raises.
        """
        self._threads.close()

    @property
    def is_write_blocked(self) -> bool:
        """Whether a write has waited for another process, or run, for longer than others may wait for it, or the disk is read-only."""
        return self._threads.is_write_blocked

    @property
    def is_whole(self) -> bool:
        """Whether the file is as long as it was; if not, every call raises StorageDamaged."""
        return self._environment.is_whole

    async def search(self, gallery_id: str, probes: NDArray[np.float32], k: int) -> SearchResult:
        """See the port."""
        if k < 1:
            raise ValueError("k must be 1 or more")
        sought = Sought(checked_embeddings(probes, self._dimension), k)
        return await self._searches.search(gallery_id, sought)

    async def _search(self, gallery_id: str, sought: Sequence[Sought]) -> list[SearchResult]:
        """Searches for several callers in one transaction and one product."""

        def found(transaction: Transaction) -> list[SearchResult]:
            contents = self._usable(transaction, gallery_id)
            probes = np.concatenate([one.probes for one in sought])
            k = max(one.k for one in sought)
            # More, if some may be passed over.
            k += min(contents.record.negative_identity_count, MAX_PASSED_OVER)
            best = iter(self._vector_search.nearest(contents.means, probes, k))
            return [
                SearchResult(
                    contents.record.revision,
                    tuple(contents.candidates(next(best), one.k, probe) for probe in one.probes),
                    contents.info.enrolled_count,
                    contents.info.pairs,
                )
                for one in sought
            ]

        return await self._read(gallery_id, found)

    async def mean_templates(self, gallery_id: str, template_id: str) -> tuple[str, ...]:
        """See the port."""

        def read(transaction: Transaction) -> tuple[str, ...]:
            contents = self._usable(transaction, gallery_id)
            try:
                return tuple(contents.mean_templates(contents.template_key(template_id)))
            except TemplateNotFound:
                return ()

        return await self._read(gallery_id, read)

    async def check_searchable(self, gallery_id: str) -> None:
        """See the port."""
        await self._read(gallery_id, lambda transaction: self._usable(transaction, gallery_id))

    async def presence(self, gallery_id: str, identity_ids: Collection[str] = ()) -> Presence:
        """See the port."""

        def present(transaction: Transaction) -> Presence:
            contents = self._usable(transaction, gallery_id)
            missing = (one for one in identity_ids if contents.find_identity(one) is None)
            return Presence(contents.record.revision, frozenset(missing))

        return await self._read(gallery_id, present)

    def change_count(self) -> int:
        """See the port."""
        return self._environment.change_count()

    async def references(
        self, gallery_id: str, identity_ids: Collection[str]
    ) -> Mapping[str, PersonReference]:
        """See the port."""
        return await self._read(
            gallery_id, lambda transaction: references_to(transaction, gallery_id, identity_ids)
        )

    async def names(
        self, references: Collection[PersonReference]
    ) -> Mapping[PersonReference, PersonName]:
        """See the port."""
        return await self._threads.read(lambda transaction: names_of(transaction, references))

    async def remembered_enrollment(
        self, gallery_id: str, request_id: str, fingerprint: bytes
    ) -> Enrollment | None:
        """See the port."""

        def recalled(transaction: Transaction) -> Enrollment | None:
            record = find_gallery(transaction, gallery_id)
            return EnrollmentMemory(transaction, gallery_id, record).recall(request_id, fingerprint)

        return await self._read(gallery_id, recalled)

    async def check_enrollable(self, gallery_id: str, identity: NewIdentity) -> None:
        """See the port."""
        await self._read(
            gallery_id,
            lambda transaction: self._usable(transaction, gallery_id).enrollable_identity(identity),
        )

    async def enroll(
        self,
        gallery_id: str,
        identity: NewIdentity,
        results: Sequence[EnrollmentResult],
        embeddings: NDArray[np.float32],
        *,
        source: str = "",
        request_id: str = "",
        fingerprint: bytes = b"",
        crops: Rgb | None = None,
    ) -> Enrollment:
        """See the port."""
        embeddings = checked_embeddings(embeddings, self._dimension)
        if len(embeddings) != sum(bool(result.template_id) for result in results):
            raise ValueError("there must be an embedding for each accepted picture")
        request = EnrollmentRequest(identity, results, embeddings, source, request_id, fingerprint)
        if self._keeps_crops and crops is not None:
            pngs = await self._threads.call(lambda: [png_of(crop) for crop in crops])
            request = replace(request, crops=pngs, crop_keys=self._crop_keys)

        def change(transaction: Transaction) -> Enrollment:
            self._require_sound(gallery_id)
            changes = Changes(transaction, gallery_id)
            return request.apply(changes.require_model_contract(self._model_contract_id))

        return await self._write(gallery_id, change)

    async def enrolled_people(
        self, gallery_id: str, most: int
    ) -> tuple[GalleryInfo, EnrolledPeople | None]:
        """See the port."""

        def read(transaction: Transaction) -> tuple[GalleryInfo, EnrolledPeople | None]:
            self._require_sound(gallery_id)
            contents = Contents(transaction, gallery_id, self._checks)
            info = contents.info
            is_too_large = max(info.template_count, info.identity_count) > most
            return info, None if is_too_large else people_of(contents)

        return await self._read(gallery_id, read)

    async def kept_crop(self, gallery_id: str, template_id: str) -> Rgb | None:
        """See the port; raises ValueError if this object was opened without keys."""
        if self._crop_keys is None:
            raise ValueError("the gallery was opened without the keys of its crops")
        keys = self._crop_keys

        def read(transaction: Transaction) -> Rgb | None:
            contents = Contents(transaction, gallery_id)
            key = contents.template_key(template_id)
            identity_id = contents.owner_id(key)
            crops = KeptCrops(transaction, gallery_id)
            return crops.get(key, identity_id, bytes.fromhex(template_id), keys)

        return await self._read(gallery_id, read)

    def _usable(self, transaction: Transaction, gallery_id: str) -> Contents:
        self._require_sound(gallery_id)
        contents = Contents(transaction, gallery_id, self._checks)
        contents.require_model_contract(self._model_contract_id)
        if contents.record.dimension != self._dimension:
            raise damaged("a gallery's record is not one")
        return contents
