"""The straight line: one picture, from bytes to decisions."""

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import InvalidInput
from facewire_server.galleries.ports import Search
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.find import FaceFinder, FoundFaces
from facewire_server.pipeline.match import (
    ONE_TO_ONE,
    candidates_needed,
    comparable,
    compare,
    decisions,
)
from facewire_server.types import (
    Comparison,
    DecisionPolicy,
    DetectionOptions,
    FaceSelection,
    Picture,
    PictureLimits,
    Recognition,
)
from facewire_server.work.clock import Clock
from facewire_server.work.slots import Slot, WorkSlots

__all__ = ["Recognizer"]


class Recognizer:
    """Pictures in, decisions out. One object serves all streams and calls of a process."""

    def __init__(
        self,
        finder: FaceFinder,
        embedder: Embedder,
        gallery: Search,
        slots: WorkSlots,
        *,
        model_contract_id: str,
    ) -> None:
        """Joins the line.

        Args:
            finder, embedder, gallery: what the line calls, in order.
            slots: one is held for each picture.
            model_contract_id: the embedder's; part of each answer.
        """
        self.model_contract_id = model_contract_id
        self._finder = finder
        self._embedder = embedder
        self._gallery = gallery
        self._slots = slots

    async def recognize(
        self,
        picture: Picture,
        gallery_id: str,
        detection: DetectionOptions,
        policy: DecisionPolicy,
        *,
        limits: PictureLimits | None = None,
        slot: Slot | None = None,
    ) -> Recognition:
        """Recognizes every face of a picture.

        Args:
            picture: not decoded yet.
            gallery_id: the gallery to search.
            detection: what counts as a face.
            policy: when a face counts as recognized.
            limits: of this picture; None = those of a single one.
            slot: held by the caller, a stream, for this picture, under the caller's deadline;
                None = this call waits for one.

        Raises:
            InvalidImage: the picture cannot be used.
            GalleryNotFound, ModelContractMismatch: the gallery cannot be searched.
            ModelUnavailable: a model does not answer.
            TimedOut: without `slot`: the picture was not finished before its deadline.
        """
        if slot is None:
            async with self._slots.picture() as own:
                with self._finder.clock(picture, "recognize", own) as clock:
                    return await self._recognize(
                        picture, gallery_id, detection, policy, limits, clock, own.waited_s
                    )
        with self._finder.clock(picture, "stream", slot) as clock:
            return await self._recognize(
                picture, gallery_id, detection, policy, limits, clock, slot.waited_s
            )

    async def compare(
        self,
        first: Picture,
        second: Picture,
        selection: FaceSelection,
        detection: DetectionOptions,
        policy: DecisionPolicy,
    ) -> Comparison:
        """Decides whether two pictures show the same person.

        Raises:
            InvalidImage, NoFace, SeveralFaces: of the picture named by the error's `field`.
            ModelUnavailable: a model does not answer.
            TimedOut: a picture was not finished before its deadline.
        """
        one, one_probe = await self._selected_face("first", first, selection, detection)
        other, other_probe = await self._selected_face("second", second, selection, detection)
        similarity = float(np.clip(one_probe @ other_probe, -1.0, 1.0))
        outcome = compare(similarity, [one.qualities[0], other.qualities[0]], policy)
        threshold = policy.threshold_among(ONE_TO_ONE).value
        return Comparison(outcome, similarity, threshold, one.face(0), other.face(0))

    async def _recognize(
        self,
        picture: Picture,
        gallery_id: str,
        detection: DetectionOptions,
        policy: DecisionPolicy,
        limits: PictureLimits | None,
        clock: Clock,
        waited_s: float,
    ) -> Recognition:
        found = await self._finder.find(picture, detection, limits=limits, clock=clock)
        is_comparable = comparable(found.qualities, policy)
        with clock.stage("embed"):
            probes, _ = await self._embedder.embed(found.crops[is_comparable])
        with clock.stage("match"):
            nearest = await self._gallery.search(gallery_id, probes, candidates_needed(policy))
        decided = decisions(nearest, is_comparable, policy)
        faces = tuple(found.face(row, decision) for row, decision in enumerate(decided))
        timings = clock.timings(waited_s=waited_s)
        return Recognition(faces, found.width_px, found.height_px, nearest.revision, timings)

    async def _selected_face(
        self, field: str, picture: Picture, selection: FaceSelection, detection: DetectionOptions
    ) -> tuple[FoundFaces, NDArray[np.float32]]:
        """Returns the selected face of one picture, and its embedding (d,)."""
        async with self._slots.picture() as slot:
            with self._finder.clock(picture, "compare", slot) as clock:
                try:
                    found = await self._finder.find(picture, detection, selection, clock=clock)
                except InvalidInput as error:
                    error.field = field
                    raise
                with clock.stage("embed"):
                    (embedding,), _ = await self._embedder.embed_mirrored(found.crops)
        return found, embedding
