"""The negative examples of a gallery: faces that were taken for a person and are not this person, each with its embedding."""

import hashlib
import zlib
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.lmdb_gallery.gallery_tables import gallery_prefix
from facewire_server.backends.lmdb_gallery.quality_records import quality_of, quality_record
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery, Identity, NegativeExample
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.backends.lmdb_storage.vendor_errors import damaged
from facewire_server.errors import GalleryFull, NegativeExampleNotFound, RequestIdReused
from facewire_server.galleries.embeddings import are_unit
from facewire_server.galleries.ids import is_template_id
from facewire_server.galleries.records import (
    MAX_NEGATIVE_EXAMPLES,
    ExportedNegativeExample,
    NegativeExampleInfo,
)

__all__ = ["NegativeExamples", "info_of"]

_FLOAT = np.dtype("<f4")


def _request_digest(request_id: str) -> bytes:
    """Returns what a record keeps of a request's id; b"" of none."""
    return hashlib.sha256(request_id.encode()).digest() if request_id else b""


def info_of(identity_id: str, record: NegativeExample) -> NegativeExampleInfo:
    """Converts a record to the port's value."""
    return NegativeExampleInfo(
        negative_example_id=record.negative_example_id.hex(),
        identity_id=identity_id,
        quality=quality_of(record.quality),
        detection_score=record.detection_score,
        created_at_us=record.created_at_us,
        source=record.source,
    )


class NegativeExamples:
    """Those of one gallery in one transaction. What changes them changes the counts in the records, which the caller writes."""

    def __init__(self, transaction: Transaction, gallery_id: str, gallery: Gallery) -> None:
        """Takes the gallery's record; reads nothing yet."""
        prefix = gallery_prefix(gallery_id)
        self._gallery = gallery
        self._table = transaction.table("negative_examples", prefix)
        self._keys = transaction.table("negative_example_keys", prefix)
        self._vectors: dict[int, NDArray[np.float32]] = {}

    def similarity(self, identity: Identity, probe: NDArray[np.float32]) -> float | None:
        """Returns the highest similarity of a probe to a negative example of an identity; None if it has none, which reads nothing.

        Raises:
            GalleryDamaged: one is missing, or not what was written.
        """
        if not identity.negative_example_count:
            return None
        vectors = self._vectors.get(identity.number)
        if vectors is None:
            found = [self.vector(record) for _, record in self.records(identity.number)]
            if len(found) != identity.negative_example_count:
                raise damaged("a negative example is missing")
            vectors = self._vectors[identity.number] = np.stack(found)
        # As a search: rounded once, so that it does not depend on the other examples.
        return float((vectors.astype(np.float64) @ probe).max().astype(np.float32))

    def vector(self, record: NegativeExample) -> NDArray[np.float32]:
        """Returns the embedding of a record, (d,), a copy; raises GalleryDamaged if it is not what was written."""
        if len(record.embedding) != self._gallery.dimension * _FLOAT.itemsize:
            raise damaged("a negative example is not of its size")
        vector = np.frombuffer(record.embedding, _FLOAT).astype(np.float32)
        if zlib.crc32(record.embedding) != record.checksum or not are_unit(vector[None]).all():
            raise damaged("a negative example is not what was written")
        return vector

    def records(
        self, identity_number: int, after: str = ""
    ) -> Iterator[tuple[bytes, NegativeExample]]:
        """Yields keys and records of an identity, oldest first, those that were added after negative example `after`.

        Raises:
            NegativeExampleNotFound: `after` is not one of the identity.
        """
        start = number_key(identity_number)
        above = self.key(after) if after else b""
        if after and not above.startswith(start):
            raise NegativeExampleNotFound("no such negative example of the identity")
        for key, value in self._table.scan(start, after=above):
            yield key, NegativeExample.FromString(value)

    def exported(self, identity_id: str, identity: Identity) -> list[ExportedNegativeExample]:
        """Returns those of an identity with their embeddings, oldest first."""
        return [
            ExportedNegativeExample(info_of(identity_id, record), self.vector(record))
            for _, record in self.records(identity.number)
        ]

    def key(self, negative_example_id: str) -> bytes:
        """Returns the key of a record; raises NegativeExampleNotFound."""
        value = None
        if is_template_id(negative_example_id):
            value = self._keys.get(bytes.fromhex(negative_example_id))
        if value is None:
            raise NegativeExampleNotFound("no such negative example in the gallery")
        return value

    def of_request(
        self, identity: Identity, request_id: str, fingerprint: bytes
    ) -> NegativeExample | None:
        """Returns the example that an earlier request of this id added to the identity, or None.

        Raises:
            RequestIdReused: such requests, several after a merge, have other fingerprints.
        """
        if not (digest := _request_digest(request_id)):
            return None
        found = [one for _, one in self.records(identity.number) if one.request_digest == digest]
        if same := [one for one in found if one.fingerprint == fingerprint]:
            return same[0]
        if found:
            raise RequestIdReused("the id belongs to another request", field="request_id")
        return None

    def require_room(self, identity: Identity, count: int = 1) -> None:
        """Raises GalleryFull if an identity has no room for as many more."""
        if identity.negative_example_count + count > MAX_NEGATIVE_EXAMPLES:
            raise GalleryFull(
                f"an identity has at most {MAX_NEGATIVE_EXAMPLES} negative examples; nothing was written: delete some"
            )

    def add(
        self,
        identity: Identity,
        number: int,
        info: NegativeExampleInfo,
        embedding: NDArray[np.float32],
        *,
        box: Sequence[float] = (),
        request_id: str = "",
        fingerprint: bytes = b"",
    ) -> NegativeExample:
        """Adds one under a number that the gallery never used; raises GalleryFull if the identity has as many as it may."""
        self.require_room(identity)
        stored = embedding.astype(_FLOAT, copy=False).tobytes()
        record = NegativeExample(
            negative_example_id=bytes.fromhex(info.negative_example_id),
            quality=quality_record(info.quality),
            detection_score=info.detection_score,
            created_at_us=info.created_at_us,
            source=info.source,
            embedding=stored,
            checksum=zlib.crc32(stored),
            box=box,
            request_digest=_request_digest(request_id),
            fingerprint=fingerprint if request_id else b"",
        )
        key = number_key(identity.number, number)
        self._table.put(key, record.SerializeToString())
        self._keys.put(record.negative_example_id, key)
        self._count(identity, 1)
        return record

    def has(self, negative_example_id: str) -> bool:
        """Whether there is one of this id."""
        return self._keys.get(bytes.fromhex(negative_example_id)) is not None

    def ids_of(self, numbers: Collection[int]) -> list[str]:
        """Returns the ids of those that have one of these numbers."""
        if not numbers:
            return []
        return [
            NegativeExample.FromString(value).negative_example_id.hex()
            for key, value in self._table.scan()
            if int.from_bytes(key[8:], "big") in numbers
        ]

    def delete(self, identity: Identity, keys: Sequence[bytes]) -> None:
        """Deletes some of an identity."""
        for key in keys:
            self._keys.delete(self._record(key).negative_example_id)
            self._table.delete(key)
        self._count(identity, -len(keys))

    def delete_all(self, identity: Identity) -> None:
        """Deletes all of an identity."""
        if identity.negative_example_count:
            self.delete(identity, list(self._table.keys(number_key(identity.number))))

    def move(self, identity: Identity, to: Identity) -> None:
        """Moves all of an identity to another one, with their ids and numbers; raises GalleryFull if it would have too many."""
        count = identity.negative_example_count
        self.require_room(to, count)
        for key in list(self._table.keys(number_key(identity.number))):
            record = self._record(key)
            moved = number_key(to.number) + key[8:]
            self._table.delete(key)
            self._table.put(moved, record.SerializeToString())
            self._keys.put(record.negative_example_id, moved)
        self._count(identity, -count)
        self._count(to, count)

    def clear(self) -> int:
        """Deletes those of all identities, whose records the caller changes; returns how many there were."""
        count = self._gallery.negative_example_count
        self._table.clear()
        self._keys.clear()
        self._gallery.negative_example_count = self._gallery.negative_identity_count = 0
        return count

    def check(self, counts: dict[int, int]) -> None:
        """Reads all; raises GalleryDamaged if something cannot be.

        Args:
            counts: how many each identity has, as its record says, by its number.
        """
        found = dict.fromkeys(counts, 0)
        for key, value in self._table.scan():
            record = NegativeExample.FromString(value)
            number = int.from_bytes(key[:8], "big")
            self.vector(record)
            if number not in found:
                raise damaged("an identity is missing")
            if self._keys.get(record.negative_example_id) != key:
                raise damaged("a negative example cannot be found by its id")
            found[number] += 1
        total, people = sum(counts.values()), sum(map(bool, counts.values()))
        stated = self._gallery.negative_example_count, self._gallery.negative_identity_count
        if found != counts or stated != (total, people) or len(list(self._keys.scan())) != total:
            raise damaged("a negative example is missing")

    def _record(self, key: bytes) -> NegativeExample:
        value = self._table.get(key)
        if value is None:
            raise damaged("a negative example is missing")
        return NegativeExample.FromString(value)

    def _count(self, identity: Identity, change: int) -> None:
        before = identity.negative_example_count
        identity.negative_example_count = before + change
        self._gallery.negative_example_count += change
        self._gallery.negative_identity_count += bool(before + change) - bool(before)
