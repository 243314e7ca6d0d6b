"""Decisions about faces, and the answers that carry them."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.thresholds import (
    NO_PAIRS,
    UNCALIBRATED,
    ErrorRates,
    GalleryPairs,
    GalleryRule,
    Threshold,
    ThresholdSource,
)
from facewire_server.types.faces import Quality

__all__ = [
    "Candidate",
    "Decision",
    "DecisionPolicy",
    "DetectionMode",
    "Face",
    "Grounds",
    "Outcome",
    "Recognition",
    "Timings",
]


class Candidate(NamedTuple):
    """A gallery identity, scored against a probe by the mean of its templates that agree; `template_id` is of the oldest of these.

    `negative_example_similarity` is the probe's highest to a negative example of the identity; None = it has none.
    """

    identity_id: str
    display_name: str
    similarity: float
    template_id: str
    negative_example_similarity: float | None = None

    @property
    def is_nearer_to_negative_example(self) -> bool:
        """Whether the probe resembles a negative example more than the identity."""
        negative = self.negative_example_similarity
        return negative is not None and negative > self.similarity

    def is_passed_over(self, threshold: float) -> bool:
        """Whether the identity reaches the threshold and does not get the face, which is nearer to a negative example of it."""
        return self.similarity >= threshold and self.is_nearer_to_negative_example

    def lead(self, threshold: float) -> float:
        """Returns the similarity above what this identity must reach: the threshold, and the similarity to each negative example."""
        negative = self.negative_example_similarity
        return self.similarity - (threshold if negative is None else max(threshold, negative))

    def scaled(self, by: float) -> "Candidate":
        """Returns the candidate with its similarities multiplied: those of a mean of looks, from those of its direction."""
        negative = self.negative_example_similarity
        return self._replace(
            similarity=self.similarity * by,
            negative_example_similarity=None if negative is None else negative * by,
        )


class Outcome(Enum):
    """The conclusion about a face (`facewire.v1.Outcome`)."""

    PENDING = "pending"
    KNOWN = "known"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    TOO_POOR = "too poor"


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """When a face counts as recognized.

    Attributes:
        threshold: lowest cosine similarity of a match, in (0, 1], which holds exactly; None = as `error_rates` say.
        min_margin: lead over a runner-up that also reaches the threshold, under which the outcome is AMBIGUOUS,
            in [0, 1].
        min_inter_eye_px: inter-eye distance under which the outcome is TOO_POOR.
        max_candidates: identities listed with a decision.
        threshold_source: who chose `threshold`, if it is set.
        error_rates: that are wanted; None = the model contract has no calibration.
        explains: decisions have their grounds.
    """

    threshold: float | None
    min_margin: float
    min_inter_eye_px: float
    max_candidates: int = 0
    threshold_source: ThresholdSource = ThresholdSource.REQUEST
    error_rates: ErrorRates | None = None
    explains: bool = False

    def threshold_among(self, identity_count: int, pairs: GalleryPairs = NO_PAIRS) -> Threshold:
        """Returns the threshold of a gallery of this number of identities, who resemble one another as `pairs` say, and who chose it."""
        if self.threshold is None and self.error_rates is not None:
            return self.error_rates.threshold_among(identity_count, pairs)
        return self._plain

    def grounds_among(
        self, identity_count: int, pairs: GalleryPairs = NO_PAIRS
    ) -> "Grounds | None":
        """Returns what decisions rest on in a gallery of this number of identities; None unless the policy `explains`."""
        if not self.explains:
            return None
        rates = self.error_rates
        rule = rates.threshold_among(identity_count, pairs).rule if rates else None
        return Grounds(rule, identity_count, self.min_margin, self.min_inter_eye_px)

    def threshold_of_pair(self) -> Threshold:
        """Returns the threshold of two pictures that are compared, and who chose it."""
        if self.threshold is None and self.error_rates is not None:
            return self.error_rates.threshold_of_pair()
        return self._plain

    @property
    def _plain(self) -> Threshold:
        if self.threshold is not None:
            return Threshold(self.threshold, self.threshold_source)
        return Threshold(UNCALIBRATED, ThresholdSource.GALLERY_SIZE)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the decisions of a search rest on, besides the faces.

    Attributes:
        rule: of the gallery, whoever chose the threshold; None without a calibration.
        identity_count: identities that were compared.
        min_margin, min_inter_eye_px: of the policy.
    """

    rule: GalleryRule | None
    identity_count: int
    min_margin: float
    min_inter_eye_px: float


@dataclass(frozen=True, slots=True)
class Decision:
    """The conclusion about a face, with its evidence (`facewire.v1.Decision`).

    Attributes:
        outcome: the conclusion.
        best: the most similar identity that is not passed over; if there is none that reaches the threshold, the most similar one.
            None if the gallery is empty or the face was too poor to be compared.
        margin: lead of `best` over the runner-up; 0 without a runner-up.
        threshold: lowest similarity of a match.
        gallery_revision: the revision searched.
        candidates: the best identities, best first, up to the number requested.
        threshold_source: who chose `threshold`.
        ambiguous_between: the best identity and the runner-up, if the outcome is AMBIGUOUS.
        look_count: looks at the face whose embeddings were averaged; 0 = it was not compared.
        grounds: what it rests on; None unless the policy asked for it.
        template_ids: of the mean that was matched, oldest first; empty unless they were asked for.
        passed_over: the most similar identity that reaches the threshold, and that the face does not get, since it is nearer to a
            negative example of it; None = there is none.
        contenders: all identities that the face is nearer to a negative example of, and the most similar one of the others, best first.
    """

    outcome: Outcome
    best: Candidate | None
    margin: float
    threshold: float
    gallery_revision: int
    candidates: tuple[Candidate, ...] = ()
    threshold_source: ThresholdSource = ThresholdSource.REQUEST
    ambiguous_between: tuple[Candidate, ...] = ()
    look_count: int = 0
    grounds: Grounds | None = None
    template_ids: tuple[str, ...] = ()
    passed_over: Candidate | None = None
    contenders: tuple[Candidate, ...] = ()

    @property
    def identity(self) -> Candidate | None:
        """The recognized identity; None unless KNOWN.

        Identities that the outcome lies between are in `ambiguous_between`; others that were nearly
        matched are disclosed only in `candidates`, on request.
        """
        return self.best if self.outcome is Outcome.KNOWN else None

    @property
    def template_id(self) -> str:
        """The id of the oldest template of the mean that was matched; "" if no identity was matched."""
        matched = self.outcome in (Outcome.KNOWN, Outcome.AMBIGUOUS)
        return self.best.template_id if self.best and matched else ""


@dataclass(frozen=True, slots=True)
class Face:
    """One face of an answer.

    Attributes:
        box: (4,) float32 x1, y1, x2, y2.
        landmarks: (5, 2) float32.
        score: detection score.
        quality: measured on its crop.
        decision: None if no gallery was searched; of a followed face the present verdict about its track.
        track_id: 0 outside a stream.
        evidence_sequence: the frame of the last look that `decision` rests on; 0 outside a stream.
        presentation_attack: hint of an attack, in [0, 1]; None = not scored.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    quality: Quality
    decision: Decision | None = None
    track_id: int = 0
    evidence_sequence: int = 0
    presentation_attack: float | None = None


class DetectionMode(Enum):
    """How the faces of a picture were looked for (`facewire.v1.DetectionMode`)."""

    SEARCHED = "searched"
    FOLLOWED = "followed"


@dataclass(slots=True)
class Timings:
    """Seconds spent on each stage of one picture; stages overlap."""

    queue_s: float = 0.0
    decode_s: float = 0.0
    detect_s: float = 0.0
    align_s: float = 0.0
    embed_s: float = 0.0
    match_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """The answer to one picture.

    Attributes:
        faces: highest detection score first.
        width_px, height_px: of the upright picture.
        gallery_revision: the revision searched.
        timings: the time of each stage.
        smallest_face_px: side of the smallest face that was searched for, pixels of the picture.
        remark: what is wrong with the picture's file, though it was read; "" = nothing.
        detection_mode: how faces were looked for.
        embedded_count: faces that were embedded for it.
    """

    faces: tuple[Face, ...]
    width_px: int
    height_px: int
    gallery_revision: int
    timings: Timings = field(default_factory=Timings)
    smallest_face_px: float = 0.0
    remark: str = ""
    detection_mode: DetectionMode = DetectionMode.SEARCHED
    embedded_count: int = 0
