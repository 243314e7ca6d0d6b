"""The straight line: one picture, from bytes to decisions."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import InvalidInput
from facewire_server.galleries.ports import SearchedMeans
from facewire_server.pipeline.attacks import NOT_SCORED, AttackHints
from facewire_server.pipeline.compare import (
    IfBothBlurred,
    compare,
    false_match_rate,
    threshold_of_pair,
)
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.find import FaceFinder, FoundFaces
from facewire_server.pipeline.gate import Gate
from facewire_server.pipeline.match import candidates_needed, comparable, decisions
from facewire_server.types import (
    Comparison,
    Decision,
    DecisionPolicy,
    DetectionOptions,
    FaceSelection,
    Picture,
    Recognition,
)
from facewire_server.work.clock import Clock
from facewire_server.work.slots import WorkSlots

__all__ = ["Recognizer"]


_UNCHANGED: Final = IfBothBlurred()


class Recognizer:
    """Pictures in, decisions out. One object serves all streams and calls of a process."""

    def __init__(
        self,
        finder: FaceFinder,
        embedder: Embedder,
        gallery: SearchedMeans,
        slots: WorkSlots,
        *,
        gate: Gate,
        if_both_blurred: IfBothBlurred = _UNCHANGED,
        model_contract_id: str,
        attacks: AttackHints | None = None,
    ) -> None:
        """Joins the line.

        Args:
            finder, embedder, gallery: what the line calls, in order.
            slots: one is held for each picture.
            gate: which faces are TOO_POOR; of size the policy decides.
            if_both_blurred: of two faces that are compared.
            model_contract_id: the embedder's; part of each answer.
            attacks: looks for presentation attacks on pictures that are recognized; None = nothing does.
        """
        self.model_contract_id = model_contract_id
        self._finder = finder
        self._embedder = embedder
        self._gallery = gallery
        self._slots = slots
        self._gate = gate
        self._if_both_blurred = if_both_blurred
        self._attacks = attacks

    async def recognize(
        self,
        picture: Picture,
        gallery_id: str,
        detection: DetectionOptions,
        policy: DecisionPolicy,
    ) -> Recognition:
        """Recognizes every face of a picture.

        Args:
            picture: not decoded yet.
            gallery_id: the gallery to search.
            detection: what counts as a face.
            policy: when a face counts as recognized.

        Raises:
            InvalidImage: the picture cannot be used.
            GalleryNotFound, ModelContractMismatch: the gallery cannot be searched.
            ModelUnavailable: a model does not answer.
            TimedOut: the picture was not finished before its deadline.
        """
        async with self._slots.picture() as slot:
            with self._finder.clock(picture, "recognize", slot) as clock:
                found = await self._finder.find(
                    picture, detection, clock=clock, with_surroundings=self._attacks is not None
                )
                gate = self._gate.asking(min_inter_eye_px=policy.min_inter_eye_px)
                found, probes, is_comparable = await self._embedded(found, gate, clock)
                attack_scores = await self._attack_scores(found, is_comparable, clock)
                needed = candidates_needed(policy)
                with clock.stage("match"):
                    nearest = await self._gallery.search(gallery_id, probes, needed)
                decided = decisions(nearest, is_comparable, policy)
                if policy.explains:
                    decided = [await self._with_templates(gallery_id, one) for one in decided]
                return Recognition(
                    tuple(
                        found.face(row, decision, attack_scores[row])
                        for row, decision in enumerate(decided)
                    ),
                    found.width_px,
                    found.height_px,
                    nearest.revision,
                    clock.timings(waited_s=slot.waited_s),
                    found.smallest_face_px,
                    found.remark,
                )

    async def _with_templates(self, gallery_id: str, decision: Decision) -> Decision:
        """Returns the decision with the templates of the mean that was matched."""
        if not decision.template_id:
            return decision
        template_ids = await self._gallery.mean_templates(gallery_id, decision.template_id)
        return replace(decision, template_ids=template_ids)

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
        gate = self._gate.asking(min_inter_eye_px=policy.min_inter_eye_px)
        one, one_probe = await self._selected_face("first", first, selection, detection, gate)
        other, other_probe = await self._selected_face("second", second, selection, detection, gate)
        similarity = float(np.clip(one_probe @ other_probe, -1.0, 1.0))
        qualities = one.qualities[0], other.qualities[0]
        threshold = threshold_of_pair(qualities, policy, self._if_both_blurred)
        outcome = compare(similarity, qualities, threshold)
        rate = false_match_rate(similarity, qualities, threshold, policy)
        return Comparison(outcome, similarity, threshold, one.face(0), other.face(0), rate)

    async def _embedded(
        self, found: FoundFaces, gate: Gate, clock: Clock
    ) -> tuple[FoundFaces, NDArray[np.float32], NDArray[np.bool_]]:
        """Embeds the faces that are good enough by their crops.

        Returns:
            The faces with all that is known of their qualities; (m, d), the embeddings of those without a fault;
            (n,), which those are.
        """
        qualities = [gate.examine(quality).quality for quality in found.qualities]
        rows = np.flatnonzero(comparable(qualities))
        with clock.stage("embed"):
            probes, norms = await self._embedder.embed(found.crops[rows])
        for row, norm, probe in zip(rows, norms.tolist(), probes, strict=True):
            qualities[row] = gate.examine(qualities[row], norm=norm, embedding=probe).quality
        is_comparable = comparable(qualities)
        return replace(found, qualities=qualities), probes[is_comparable[rows]], is_comparable

    async def _attack_scores(
        self, found: FoundFaces, is_comparable: NDArray[np.bool_], clock: Clock
    ) -> list[float | None]:
        """Returns the hint of an attack of each face that is compared, None of the others."""
        scores: list[float | None] = [None] * len(found.faces)
        if self._attacks is not None:
            with clock.stage("embed"):
                looks = await self._attacks.looks(found.surroundings[is_comparable])
            rows = np.flatnonzero(is_comparable).tolist()
            for row, log_odds in zip(rows, looks, strict=True):
                if log_odds is not None:
                    scores[row] = NOT_SCORED.after(log_odds).value
        return scores

    async def _selected_face(
        self,
        field: str,
        picture: Picture,
        selection: FaceSelection,
        detection: DetectionOptions,
        gate: Gate,
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
                    (embedding,), norms = await self._embedder.embed_mirrored(found.crops)
        examined = gate.examine(found.qualities[0], norm=float(norms[0]), embedding=embedding)
        return replace(found, qualities=[examined.quality]), embedding
