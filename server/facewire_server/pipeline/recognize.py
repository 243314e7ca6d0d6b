"""The straight line: one picture, from bytes to decisions."""

import numpy as np

from facewire_server.errors import FacewireError
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.look import Looker, Sight
from facewire_server.pipeline.match import compare, match, sufficient
from facewire_server.pipeline.ports import Gallery
from facewire_server.pipeline.types import (
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
        looker: Looker,
        embedder: Embedder,
        gallery: Gallery,
        *,
        model_contract_id: str,
    ) -> None:
        """Joins the line.

        Args:
            looker, embedder, gallery: what the line calls, in order.
            model_contract_id: the embedder's, told in answers.
        """
        self.model_contract_id = model_contract_id
        self._looker = looker
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
            GalleryNotFound, ContractMismatch: the gallery cannot be searched.
            ModelUnavailable: a model does not answer.
        """
        sight = await self._looker.look(picture, detection)
        clock = sight.clock
        due = sufficient(sight.qualities, policy)
        with clock.stage("embed_s"):
            probes = await self._embedder.embed(sight.crops[due])
        decisions, revision = await clock.run(
            "match_s", match, probes, due, self._gallery, gallery_id, policy
        )
        faces = tuple(sight.face(row, decision) for row, decision in enumerate(decisions))
        return Recognition(faces, sight.width_px, sight.height_px, revision, clock.stop())

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
        sights = [
            await self._look_at(field, picture, selection, detection)
            for field, picture in (("first", first), ("second", second))
        ]
        crops = np.concatenate([sight.crops for sight in sights])
        one, other = await self._embedder.embed_portraits(crops)
        similarity = float(np.clip(one @ other, -1.0, 1.0))
        outcome = compare(similarity, [sight.qualities[0] for sight in sights], policy)
        return Comparison(outcome, similarity, policy.threshold, *(s.face(0) for s in sights))

    async def _look_at(
        self, field: str, picture: Picture, selection: FaceSelection, detection: DetectionOptions
    ) -> Sight:
        try:
            return await self._looker.look(picture, detection, selection)
        except FacewireError as error:
            error.field = field
            raise
