"""The third line: a picture of a face that was taken for a person and is not this person, from bytes to a negative example."""

import hashlib
import uuid
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import InvalidInput, TooPoor
from facewire_server.galleries.ports import NegativeExamples
from facewire_server.galleries.records import AddedNegativeExample, NewNegativeExample
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.find import FaceFinder, FoundFaces
from facewire_server.pipeline.gate import Gate
from facewire_server.types import DetectionOptions, FaceSelection, Picture
from facewire_server.work.slots import WorkSlots

__all__ = ["NegativeExampleMaker"]


class NegativeExampleMaker:
    """A picture in, a negative example out."""

    def __init__(
        self,
        finder: FaceFinder,
        embedder: Embedder,
        gallery: NegativeExamples,
        slots: WorkSlots,
        *,
        gate: Gate,
    ) -> None:
        """Joins the line.

        Args:
            finder, embedder, gallery: what the line calls, in order.
            slots: one is held for each picture.
            gate: of faces that are decided about: whatever the server's own decision policy can give a name can be a negative example.
        """
        self._finder = finder
        self._embedder = embedder
        self._gallery = gallery
        self._slots = slots
        self._gate = gate

    async def add(
        self,
        gallery_id: str,
        identity_id: str,
        picture: Picture,
        selection: FaceSelection,
        detection: DetectionOptions,
        *,
        source: str = "",
        request_id: str = "",
    ) -> AddedNegativeExample:
        """Keeps the face of a picture as a negative example of an identity.

        Args:
            gallery_id: the gallery.
            identity_id: who it is not.
            picture: of the face.
            selection: which face of the picture is meant.
            detection: what counts as a face.
            source: kept with the example.
            request_id: a repeated id returns the same example; "" = not repeatable.

        Raises:
            InvalidImage, NoFace, SeveralFaces, TooPoor: of the field "image"; nothing was written.
            RequestIdReused, IdentityNotFound, GalleryNotFound, ModelContractMismatch, GalleryFull: nothing was written.
            ModelUnavailable: a model does not answer; nothing was written.
            TimedOut: the picture was not finished before its deadline; nothing was written.
        """
        fingerprint = _fingerprint(picture, selection, detection, source)
        # Checked before the models work in vain; the write checks again, in its transaction.
        earlier = await self._gallery.negative_example_of_request(
            gallery_id, identity_id, request_id, fingerprint
        )
        if earlier is not None:
            return earlier
        found, embedding = await self._face(picture, selection, detection)
        x1, y1, x2, y2 = found.faces.boxes[0].tolist()
        example = NewNegativeExample(
            negative_example_id=uuid.uuid4().hex,
            identity_id=identity_id,
            quality=found.qualities[0],
            detection_score=float(found.faces.scores[0]),
            box=(x1, y1, x2, y2),
            source=source,
            request_id=request_id,
            fingerprint=fingerprint,
        )
        return await self._gallery.add_negative_example(gallery_id, example, embedding)

    async def _face(
        self, picture: Picture, selection: FaceSelection, detection: DetectionOptions
    ) -> tuple[FoundFaces, NDArray[np.float32]]:
        """Returns the picture's face, and its embedding (d,)."""
        async with self._slots.picture() as slot:
            with self._finder.clock(picture, "negative_example", slot) as clock:
                try:
                    found = await self._finder.find(picture, detection, selection, clock=clock)
                except InvalidInput as error:
                    error.field = "image"
                    raise
                with clock.stage("embed"):
                    (embedding,), norms = await self._embedder.embed_mirrored(found.crops)
        examined = self._gate.examine(found.qualities[0], norm=float(norms[0]), embedding=embedding)
        if examined.objections:
            raise TooPoor("; also, ".join(one.text for one in examined.objections), field="image")
        return replace(found, qualities=[examined.quality]), embedding


def _fingerprint(
    picture: Picture, selection: FaceSelection, detection: DetectionOptions, source: str
) -> bytes:
    """Returns a digest that differs between requests."""
    about = repr((replace(picture, data=b""), selection, detection, source))
    digest = hashlib.sha256(about.encode())
    digest.update(hashlib.sha256(picture.data).digest())
    return digest.digest()
