"""The port `NegativeExamples` on LMDB: who a face was taken for and is not."""

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.lmdb_gallery.changes import Changes, now_us
from facewire_server.backends.lmdb_gallery.contents import Contents
from facewire_server.backends.lmdb_gallery.corrections import LmdbCorrections
from facewire_server.backends.lmdb_gallery.negative_examples import info_of
from facewire_server.backends.lmdb_gallery.records_pb2 import NegativeExample
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.galleries.embeddings import checked_embeddings
from facewire_server.galleries.records import (
    AddedNegativeExample,
    NegativeExampleInfo,
    NewNegativeExample,
)

__all__ = ["LmdbNegativeExamples"]


class LmdbNegativeExamples(LmdbCorrections):
    """The negative examples of `LmdbGallery`."""

    async def negative_example_of_request(
        self, gallery_id: str, identity_id: str, request_id: str, fingerprint: bytes
    ) -> AddedNegativeExample | None:
        """See the port."""

        def read(transaction: Transaction) -> AddedNegativeExample | None:
            self._require_sound(gallery_id)
            contents = Contents(transaction, gallery_id, self._checks)
            contents.require_model_contract(self._model_contract_id)
            stored_id = contents.stored_id(identity_id)
            identity = contents.identity(stored_id)
            earlier = contents.negative_examples.of_request(identity, request_id, fingerprint)
            if earlier is None:
                contents.negative_examples.require_room(identity)
                return None
            return _added(contents, stored_id, earlier, contents.record.revision, is_new=False)

        return await self._read(gallery_id, read)

    async def add_negative_example(
        self, gallery_id: str, example: NewNegativeExample, embedding: NDArray[np.float32]
    ) -> AddedNegativeExample:
        """See the port."""
        (checked,) = checked_embeddings(embedding[None], self._dimension)

        def change(transaction: Transaction) -> AddedNegativeExample:
            self._require_sound(gallery_id)
            changes = Changes(transaction, gallery_id)
            changes.require_model_contract(self._model_contract_id)
            stored_id = changes.stored_id(example.identity_id)
            identity = changes.identity(stored_id)
            request = example.request_id, example.fingerprint
            earlier = changes.negative_examples.of_request(identity, *request)
            if earlier is not None:
                return _added(changes, stored_id, earlier, changes.record.revision, is_new=False)
            info = NegativeExampleInfo(
                example.negative_example_id,
                stored_id,
                example.quality,
                example.detection_score,
                now_us(),
                example.source,
            )
            record = changes.add_negative_example(
                identity, info, checked, box=example.box, request=request
            )
            return _added(changes, stored_id, record, changes.save(), is_new=True)

        return await self._write(gallery_id, change)

    async def list_negative_examples(
        self, gallery_id: str, identity_id: str, after: str, limit: int
    ) -> list[NegativeExampleInfo]:
        """See the port."""

        def read(transaction: Transaction) -> list[NegativeExampleInfo]:
            contents = Contents(transaction, gallery_id)
            stored_id = contents.stored_id(identity_id)
            number = contents.identity(stored_id).number
            found = islice(contents.negative_examples.records(number, after), limit)
            return [info_of(stored_id, record) for _, record in found]

        return await self._read(gallery_id, read)

    async def delete_negative_example(
        self, gallery_id: str, negative_example_id: str
    ) -> tuple[int, int]:
        """See the port."""

        def change(transaction: Transaction) -> tuple[int, int]:
            changes = Changes(transaction, gallery_id)
            return changes.delete_negative_example(negative_example_id), changes.save()

        return await self._write(gallery_id, change, beyond_quota=True)


def _added(
    contents: Contents, identity_id: str, record: NegativeExample, revision: int, *, is_new: bool
) -> AddedNegativeExample:
    x1, y1, x2, y2 = record.box or (0.0, 0.0, 0.0, 0.0)
    probe = contents.negative_examples.vector(record)
    return AddedNegativeExample(
        info_of(identity_id, record),
        (x1, y1, x2, y2),
        contents.similarity(contents.identity(identity_id).number, probe),
        revision,
        contents.info.enrolled_count,
        is_new,
        contents.info.pairs,
    )
