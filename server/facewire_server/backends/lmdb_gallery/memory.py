"""The results of past enrollments, so that a repeated request enrolls nothing twice."""

import hashlib
from collections.abc import Collection, Sequence

from facewire_server.backends.lmdb_gallery import records_pb2 as records
from facewire_server.backends.lmdb_gallery.gallery_tables import gallery_prefix
from facewire_server.backends.lmdb_gallery.projection import pairs_of
from facewire_server.backends.lmdb_gallery.quality_records import quality_of, quality_record
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.errors import RequestIdReused
from facewire_server.galleries.records import Enrollment, EnrollmentResult, enrolled_count
from facewire_server.galleries.refusal import Refusal

__all__ = ["ENROLLMENTS_KEPT", "EnrollmentMemory"]

ENROLLMENTS_KEPT = 10_000
"""Enrollments remembered in each gallery; the oldest is forgotten first. Chosen, not measured: some MiB of results."""


class EnrollmentMemory:
    """Remembered enrollments of one gallery in one transaction.

    Request ids are kept as digests, so that an id of any length fits a key.
    """

    def __init__(self, transaction: Transaction, gallery_id: str, gallery: records.Gallery) -> None:
        """Opens the tables; `gallery` is its record, which `remember` and `forget_identity` change."""
        prefix = gallery_prefix(gallery_id)
        self._enrollments = transaction.table("enrollments", prefix)
        self._order = transaction.table("enrollment_order", prefix)
        self._gallery = gallery

    def recall(self, request_id: str, fingerprint: bytes) -> Enrollment | None:
        """Returns the enrollment of an earlier request, or None.

        Args:
            request_id: the client's name of the request; "" = it has none, so None is returned.
            fingerprint: a digest of what the request asks for, pictures included.

        Raises:
            RequestIdReused: the id belongs to a request with another fingerprint.
        """
        value = self._enrollments.get(_digest(request_id)) if request_id else None
        if value is None:
            return None
        record = records.Enrollment.FromString(value)
        if record.fingerprint != fingerprint:
            raise RequestIdReused("the request id belongs to another request", field="request_id")
        count = enrolled_count(self._gallery.identity_count, self._gallery.template_count)
        results = tuple(_result(one) for one in record.results)
        return Enrollment(results, record.revision, count, pairs_of(self._gallery))

    def remember(
        self,
        request_id: str,
        fingerprint: bytes,
        number: int,
        identity_number: int,
        results: Sequence[EnrollmentResult],
        revision: int,
    ) -> None:
        """Keeps an enrollment, and forgets the oldest one beyond `ENROLLMENTS_KEPT`.

        Args:
            request_id: the client's name of the request; not empty, and not remembered yet.
            fingerprint: as for `recall`.
            number: above those of all earlier enrollments.
            identity_number: of the person enrolled, for `forget_identity`.
            results, revision: what to return to a repeated request.
        """
        digest = _digest(request_id)
        record = records.Enrollment(
            number=number,
            fingerprint=fingerprint,
            revision=revision,
            results=_result_records(results),
        )
        self._enrollments.put(digest, record.SerializeToString())
        self._order.put(number_key(number), number_key(identity_number) + digest)
        self._gallery.enrollment_count += 1
        if self._gallery.enrollment_count > ENROLLMENTS_KEPT:
            key, value = next(self._order.scan())
            self._forget(key, value[8:])

    def forget_identity(self, identity_number: int) -> None:
        """Forgets the enrollments of an identity that is deleted; looks at each of the `ENROLLMENTS_KEPT`.

        Nothing about a deleted person is kept, and the same request enrolls the person again. A template
        that is deleted alone is not forgotten: a late retry of its enrollment must not bring it back, and
        returns the result as it was, with the id of the deleted template.
        """
        owner = number_key(identity_number)
        found = [(key, value) for key, value in self._order.scan() if value[:8] == owner]
        for key, value in found:
            self._forget(key, value[8:])

    def move(
        self, identity_number: int, to: int, template_ids: Collection[str] | None = None
    ) -> None:
        """Moves an identity's enrollments to another one: all, or those all of whose templates are among `template_ids`.

        One of which a part moves is forgotten: it is about two people, so that the deletion of one would leave what is kept of
        their pictures. If it is repeated, it enrolls again.
        """
        owner = number_key(identity_number)
        found = [(key, value[8:]) for key, value in self._order.scan() if value[:8] == owner]
        for key, digest in found:
            record = records.Enrollment.FromString(self._enrollments.get(digest) or b"")
            enrolled = {one.template_id for one in record.results if one.template_id}
            if template_ids is None or enrolled.issubset(template_ids):
                self._order.put(key, number_key(to) + digest)
            elif not enrolled.isdisjoint(template_ids):
                self._forget(key, digest)

    def _forget(self, key: bytes, digest: bytes) -> None:
        self._order.delete(key)
        self._enrollments.delete(digest)
        self._gallery.enrollment_count -= 1


def _digest(request_id: str) -> bytes:
    return hashlib.sha256(request_id.encode()).digest()


def _result_records(results: Sequence[EnrollmentResult]) -> list[records.EnrollmentResult]:
    return [
        records.EnrollmentResult(
            template_id=result.template_id,
            refusal=result.refusal.value if result.refusal else "",
            detail=result.detail,
            quality=quality_record(result.quality) if result.quality else None,
            box=result.box or (),
            detection_score=result.detection_score,
        )
        for result in results
    ]


def _result(record: records.EnrollmentResult) -> EnrollmentResult:
    x1, y1, x2, y2 = record.box or (0.0, 0.0, 0.0, 0.0)
    return EnrollmentResult(
        template_id=record.template_id,
        refusal=Refusal.from_stored(record.refusal) if record.refusal else None,
        detail=record.detail,
        quality=quality_of(record.quality) if record.HasField("quality") else None,
        box=(x1, y1, x2, y2) if record.box else None,
        detection_score=record.detection_score,
    )
