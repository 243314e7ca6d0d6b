"""A face and what was concluded about it, as immutable values.

Lengths and positions are pixels of the upright picture (EXIF orientation applied),
x to the right, y downward. Similarity is a cosine, range [-1, 1].
"""

from dataclasses import dataclass

from facewire._values.enums import Outcome, QualityFault, ThresholdSource
from facewire._values.judgments import Judgment

__all__ = [
    "Box",
    "Candidate",
    "Decision",
    "DetectedFace",
    "Face",
    "Landmarks",
    "Point",
    "Quality",
]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around a face, chin to hairline; it may reach beyond the picture."""

    x_px: float
    y_px: float
    width_px: float
    height_px: float


@dataclass(frozen=True, slots=True)
class Point:
    """A position in the picture."""

    x_px: float
    y_px: float


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Five points of a face. Left and right are the viewer's, not the person's."""

    left_eye: Point
    right_eye: Point
    nose: Point
    left_mouth: Point
    right_mouth: Point


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be recognized, measured on the picture as received.

    Attributes:
        inter_eye_px: distance between the eyes' centers, pixels; of a face turned to the side as it would be from the front.
        sharpness: variance of the Laplacian of the aligned crop's luma; below about 20
            is blurred or enlarged.
        brightness: mean luma of the aligned crop, before dark pictures are brightened. Range [0, 255].
        directional_sharpness: sharpness along the worse of the two axes; low also for a face that is
            smeared by motion.
        embedding_norm: length of the embedding before it is normalized, higher is better; 0 if unknown.
        yaw: how far the face is turned to the side, > 0 toward the viewer's right; 0 is frontal.
        pitch: how far the face is turned up, > 0, or down; 0 is frontal.
        faults: what is wrong with the face by the limits of the server; empty if nothing is.
    """

    inter_eye_px: float
    sharpness: float
    brightness: float
    directional_sharpness: float = 0.0
    embedding_norm: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    faults: tuple[QualityFault, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An identity of the gallery, scored against a probe by the mean of its templates that agree.

    Attributes:
        identity_id: who it is.
        display_name: their name when the decision was made.
        similarity: of the face to the mean.
        template_id: the oldest template of the mean.
        negative_example_similarity: the face's highest similarity to a negative example of the identity: if it is more than `similarity`, which
            reaches the threshold, the identity was passed over. None: it has no negative example.
    """

    identity_id: str
    display_name: str
    similarity: float
    template_id: str
    negative_example_similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the server concluded about a face, and why.

    Attributes:
        outcome: the conclusion.
        identity_id: who it is; "" unless KNOWN.
        display_name: their name when the decision was made; "" unless KNOWN.
        similarity: to the best identity of the gallery; of KNOWN and AMBIGUOUS the best of those that were not passed over
            (`Candidate.negative_example_similarity`); 0 if there was none.
        threshold: the bound that `similarity` was compared with.
        margin: `similarity` minus the second best identity's; 0 if there was none.
        template_id: the template with this `similarity`; "" unless KNOWN or AMBIGUOUS.
        gallery_revision: the gallery's revision that was searched.
        candidates: the best identities, best first; empty unless asked for.
        threshold_source: why `threshold` has its value.
        ambiguous_between: the two identities that an AMBIGUOUS outcome lies between, best first;
            empty for any other.
        look_count: looks at the face that `similarity` is averaged over; 1 for a single picture, 0 if the face
            was not compared, or by a server of 0.1.
        judgment: why it is so; None unless the call asked for it with `explain`, and the server knows that. In a stream a face that was
            not looked at yet, or whose name is held back, has none.
    """

    outcome: Outcome
    identity_id: str
    display_name: str
    similarity: float
    threshold: float
    margin: float
    template_id: str
    gallery_revision: int
    candidates: tuple[Candidate, ...]
    threshold_source: ThresholdSource = ThresholdSource.UNSPECIFIED
    ambiguous_between: tuple[Candidate, ...] = ()
    look_count: int = 0
    judgment: Judgment | None = None

    @property
    def label(self) -> str:
        """Who it is, for people: "Ada" if KNOWN, "Ada or Bo?" if AMBIGUOUS, else the outcome in words."""
        if self.outcome is Outcome.KNOWN:
            return self.display_name
        between = self.ambiguous_between
        names = [each.display_name for each in between]
        if len(set(names)) < len(names):  # two people of one name, or one person under two ids
            names = [f"{each.display_name} ({each.identity_id})" for each in between]
        words = self.outcome.value.lower().replace("_", " ")
        return f"{' or '.join(names)}?" if names else words


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """One face in one picture, for which no gallery was searched.

    Attributes:
        box: its position and size.
        landmarks: the positions of its eyes, nose and mouth.
        detection_score: the detector's confidence. Range [0, 1].
        quality: how good a probe it is.
    """

    box: Box
    landmarks: Landmarks
    detection_score: float
    quality: Quality


@dataclass(frozen=True, slots=True)
class Face(DetectedFace):
    """One face in one picture, and what was concluded about it.

    Attributes:
        decision: who it is, and why.
        track_id: the track it belongs to; 0 if the server does not track.
        evidence_sequence: the frame in which the evidence was seen; 0 outside a stream.
        presentation_attack_score: EXPERIMENTAL: a hint, in [0, 1], that the face is shown on a screen or on paper, higher is more like it; a low
            one does not say that a person is there. None: not looked for (`Feature.PRESENTATION_ATTACKS`), or not compared.
    """

    decision: Decision
    track_id: int
    evidence_sequence: int
    presentation_attack_score: float | None = None

    @property
    def name(self) -> str | None:
        """The display name of a KNOWN face, None of any other."""
        return self.decision.display_name if self.known else None

    @property
    def label(self) -> str:
        """Who it is, for people; see `Decision.label`."""
        return self.decision.label

    @property
    def known(self) -> bool:
        """Whether the face was recognized."""
        return self.decision.outcome is Outcome.KNOWN
