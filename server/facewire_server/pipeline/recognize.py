"""The straight line: one picture, from bytes to decisions."""

import numpy as np

from facewire_server.errors import ServerError
from facewire_server.galleries.ports import Gallery
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.find import FaceFinder, FoundFaces
from facewire_server.pipeline.match import comparable, compare, match
from facewire_server.types import (
    Comparison,
    DecisionPolicy,
    DetectionOptions,
    FaceSelection,
    Picture,
    Recognition,
)

__all__ = ["Recognizer"]


class Recognizer:
    """Pictures in, decisions out. One object serves all streams and calls of a process."""

    def __init__(
        self,
        finder: FaceFinder,
        embedder: Embedder,
        gallery: Gallery,
        *,
        model_contract_id: str,
    ) -> None:
        """Joins the line.

        Args:
            finder, embedder, gallery: what the line calls, in order.
            model_contract_id: the embedder's, told in answers.
        """
        self.model_contract_id = model_contract_id
        self._finder = finder
        self._embedder = embedder
        self._gallery = gallery

    async def recognize(
        self,
        picture: Picture,
        gallery_id: str,
        detection: DetectionOptions,
        policy: DecisionPolicy,
    ) -> Recognition:
        """Says who is in a picture.

        Raises:
            InvalidImage: the picture cannot be used.
            GalleryNotFound, ModelContractMismatch: the gallery cannot be searched.
            ModelUnavailable: a model does not answer.
        """
        found = await self._finder.find(picture, detection)
        clock = found.clock
        due = comparable(found.qualities, policy)
        with clock.stage("embed_s"):
            probes = await self._embedder.embed(found.crops[due])
        decisions, revision = await clock.run(
            "match_s", match, probes, due, self._gallery, gallery_id, policy
        )
        faces = tuple(found.face(row, decision) for row, decision in enumerate(decisions))
        return Recognition(faces, found.width_px, found.height_px, revision, clock.stop())

    async def compare(
        self,
        first: Picture,
        second: Picture,
        selection: FaceSelection,
        detection: DetectionOptions,
        policy: DecisionPolicy,
    ) -> Comparison:
        """Says whether two pictures show the same person.

        Raises:
            InvalidImage, NoFace, SeveralFaces: of the picture named by the error's `field`.
            ModelUnavailable: a model does not answer.
        """
        all_found = [
            await self._look_at(field, picture, selection, detection)
            for field, picture in (("first", first), ("second", second))
        ]
        crops = np.concatenate([found.crops for found in all_found])
        one, other = await self._embedder.embed_mirrored(crops)
        similarity = float(np.clip(one @ other, -1.0, 1.0))
        outcome = compare(similarity, [found.qualities[0] for found in all_found], policy)
        return Comparison(outcome, similarity, policy.threshold, *(s.face(0) for s in all_found))

    async def _look_at(
        self, field: str, picture: Picture, selection: FaceSelection, detection: DetectionOptions
    ) -> FoundFaces:
        try:
            return await self._finder.find(picture, detection, selection)
        except ServerError as error:
            error.field = field
            raise
