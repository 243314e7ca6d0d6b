"""The second line: pictures of a person, from bytes to templates in a gallery."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import InvalidInput, TooPoor
from facewire_server.galleries.ports import Enrollments
from facewire_server.galleries.records import (
    Enrollment,
    EnrollmentResult,
    ExportedTemplate,
    NewIdentity,
)
from facewire_server.galleries.refusal import refusal_of
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.find import FaceFinder, FoundFaces
from facewire_server.pipeline.gate import Gate
from facewire_server.pipeline.quality import eye_brightness
from facewire_server.pipeline.similar import NEAREST_IDENTITIES, with_similar
from facewire_server.types import (
    CROP_PX,
    DecisionPolicy,
    DetectionOptions,
    FaceSelection,
    Picture,
    Rgb,
)
from facewire_server.work.slots import WorkSlots

__all__ = ["Enroller"]

_CROP = (CROP_PX, CROP_PX, 3)
"""The shape of a crop."""


class Enroller:
    """Pictures in, templates out."""

    def __init__(
        self,
        finder: FaceFinder,
        embedder: Embedder,
        gallery: Enrollments,
        slots: WorkSlots,
        *,
        gate: Gate,
        policy: DecisionPolicy,
    ) -> None:
        """Joins the line.

        Args:
            finder, embedder, gallery: what the line calls, in order.
            slots: one is held for each picture, so that ten pictures do not hold up a camera.
            gate: which faces make no template. A poor template is worse than none: it resembles every face that is
                poor in the same way, whoever it is.
            policy: of a request that sets none; it says when a template matches another identity.
        """
        self._finder = finder
        self._embedder = embedder
        self._gallery = gallery
        self._slots = slots
        self._gate = gate
        self._policy = policy

    def would_refuse(self, template: ExportedTemplate) -> bool:
        """Whether the gate objects to a template of an import, which is added nevertheless."""
        return bool(self._gate.stored_faults(template.info.quality, template.embedding))

    async def enroll(
        self,
        gallery_id: str,
        identity: NewIdentity,
        pictures: Sequence[Picture],
        selection: FaceSelection,
        detection: DetectionOptions,
        *,
        source: str = "",
        request_id: str = "",
    ) -> Enrollment:
        """Makes a template of each picture that shows the person well, and commits them together.

        Each picture that cannot be used is refused, with the reason; the others are enrolled, and
        searched for: a result names another identity that its template matches. Two enrollments at the
        same time do not see each other; a repeated request names none.

        Args:
            gallery_id: the gallery.
            identity: the person.
            pictures: of the person.
            selection: which face of a picture is the person's.
            detection: what counts as a face.
            source: kept with each template.
            request_id: a repeated id returns the same answer; "" = not repeatable.

        Raises:
            RequestIdReused: the id was used for another request.
            IdentityNotFound: no such identity, and it is not to be made.
            GalleryNotFound, ModelContractMismatch, GalleryFull: nothing was written.
            ModelUnavailable: a model does not answer; nothing was written.
            TimedOut: a picture was not finished before its deadline; nothing was written.
        """
        fingerprint = _fingerprint(identity, pictures, selection, detection, source)
        if request_id:
            remembered = await self._gallery.remembered_enrollment(
                gallery_id, request_id, fingerprint
            )
            if remembered:
                return remembered
        # Checked before the models work in vain; `enroll` checks again, in its transaction.
        await self._gallery.check_enrollable(gallery_id, identity)
        made = [await self._template(picture, selection, detection) for picture in pictures]
        embeddings = np.concatenate([embedding for _, embedding, _ in made])
        # Before the commit, after which the new templates would be the nearest ones.
        found = await self._gallery.search(gallery_id, embeddings, NEAREST_IDENTITIES)
        enrollment = await self._gallery.enroll(
            gallery_id,
            identity,
            [result for result, _, _ in made],
            embeddings,
            source=source,
            request_id=request_id,
            fingerprint=fingerprint,
            crops=np.concatenate([crops for _, _, crops in made]),
        )
        return with_similar(enrollment, found, identity.identity_id, self._policy)

    async def _template(
        self, picture: Picture, selection: FaceSelection, detection: DetectionOptions
    ) -> tuple[EnrollmentResult, NDArray[np.float32], Rgb]:
        """Returns the picture's result, its embedding as (1, d) or (0, d), and the crop of it, as many."""
        found: FoundFaces | None = None
        try:
            async with self._slots.picture() as slot:
                with self._finder.clock(picture, "enroll", slot) as clock:
                    found = await self._finder.find(picture, detection, selection, clock=clock)
                    with clock.stage("embed"):
                        embedding, norms = await self._embedder.embed_mirrored(found.crops)
                    examined = self._gate.examine(
                        found.qualities[0],
                        norm=float(norms[0]),
                        embedding=embedding[0],
                        eye_brightness=eye_brightness(found.crops[0]),
                    )
                    found = replace(found, qualities=[examined.quality])
                    if examined.objections:
                        raise TooPoor("; also, ".join(one.text for one in examined.objections))
        except InvalidInput as refusal:
            no_embedding = np.empty((0, self._embedder.dimension), np.float32)
            return _result(found, refusal), no_embedding, np.empty((0, *_CROP), np.uint8)
        return _result(found), embedding, found.crops


def _result(found: FoundFaces | None, refusal: InvalidInput | None = None) -> EnrollmentResult:
    return EnrollmentResult(
        template_id="" if refusal else uuid.uuid4().hex,
        refusal=refusal_of(refusal) if refusal else None,
        detail=str(refusal) if refusal else "",
        quality=found.qualities[0] if found else None,
        box=tuple(found.faces.boxes[0].tolist()) if found else None,
        detection_score=float(found.faces.scores[0]) if found else 0.0,
    )


def _fingerprint(
    identity: NewIdentity,
    pictures: Sequence[Picture],
    selection: FaceSelection,
    detection: DetectionOptions,
    source: str,
) -> bytes:
    """Returns a digest that differs between requests; lengths are part of it, so that fields cannot run into each other."""
    digest = hashlib.sha256(repr((identity, selection, detection, source)).encode())
    for picture in pictures:
        digest.update(repr(replace(picture, data=b"")).encode())
        digest.update(hashlib.sha256(picture.data).digest())
    return digest.digest()
