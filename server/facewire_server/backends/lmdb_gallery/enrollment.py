"""One enrollment, in a write transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.changes import Changes, now_us
from facewire_server.galleries.records import (
    Enrollment,
    EnrollmentResult,
    NewIdentity,
    TemplateInfo,
)
from facewire_server.types import Quality

__all__ = ["EnrollmentRequest"]


@dataclass(frozen=True, slots=True)
class EnrollmentRequest:
    """An enrollment to commit; see `Enrollments.enroll`.

    Attributes:
        crops: PNG of the aligned crop of each accepted picture, in order; empty = none is kept.
        crop_keys: encrypt the crops.
    """

    identity: NewIdentity
    results: Sequence[EnrollmentResult]
    embeddings: NDArray[np.float32]
    source: str
    request_id: str
    fingerprint: bytes
    crops: Sequence[bytes] = ()
    crop_keys: CropKeys | None = None

    def apply(self, changes: Changes) -> Enrollment:
        """Stores the accepted pictures and saves, or returns what this request got before."""
        remembered = changes.memory.recall(self.request_id, self.fingerprint)
        if remembered is not None:
            return remembered
        identity_id, owner = changes.enrollable_identity(self.identity)
        accepted = [result for result in self.results if result.template_id]
        # Without an accepted picture nothing is written, so the request is not remembered either.
        if not accepted:
            return self._enrollment(changes)
        now = now_us()
        if owner is None:
            owner = changes.add_identity(identity_id, self.identity.display_name, now)
        keys = [
            changes.add_template(owner, self._template(identity_id, result, now), embedding)
            for result, embedding in zip(accepted, self.embeddings, strict=True)
        ]
        if self.crop_keys is not None:
            for key, result, png in zip(keys, accepted, self.crops, strict=True):
                template_id = bytes.fromhex(result.template_id)
                changes.crops.put(key, identity_id, template_id, png, self.crop_keys)
        if self.request_id:
            number = changes.take_number()
            # Stored in the same transaction, with the revision that `save` will set.
            revision = changes.record.revision + 1
            changes.memory.remember(
                self.request_id, self.fingerprint, number, owner.number, self.results, revision
            )
        changes.save()
        return self._enrollment(changes)

    def _enrollment(self, changes: Changes) -> Enrollment:
        info = changes.info
        return Enrollment(tuple(self.results), info.revision, info.enrolled_count, info.pairs)

    def _template(self, identity_id: str, result: EnrollmentResult, now: int) -> TemplateInfo:
        return TemplateInfo(
            template_id=result.template_id,
            identity_id=identity_id,
            quality=result.quality or Quality(0.0, 0.0, 0.0),
            detection_score=result.detection_score,
            created_at_us=now,
            source=self.source,
        )
