"""Options of a request; None and 0 mean the server's defaults."""

from dataclasses import dataclass

__all__ = ["DECISION_DEFAULTS", "DETECTION_DEFAULTS", "DecisionPolicy", "DetectionOptions"]


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """When a face counts as recognized.

    Attributes:
        threshold: lowest similarity of a match. Range (0, 1]. Default: the gallery's, see `Gallery.threshold`.
        min_margin: lead over a runner-up that also reaches the threshold, under which the outcome is AMBIGUOUS.
            Range [0, 1].
        min_inter_eye_px: inter-eye distance under which the outcome is TOO_POOR,
            pixels. Range [0, 1000].
    """

    threshold: float | None = None
    min_margin: float | None = None
    min_inter_eye_px: float | None = None


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """What counts as a face.

    Attributes:
        min_face_px: smallest face worth finding: its box's side, pixels of the picture.
            Range [8, 65535]; the work grows with its inverse square. Default: the
            shorter side of the picture divided by 32, in a stream by 16, but not less than 8.
        min_score: lowest detection score reported. Range [0.7, 1].
        max_faces: at most this many faces, the highest scores first. Range [1, 1024].
    """

    min_face_px: int = 0
    min_score: float | None = None
    max_faces: int = 0


DECISION_DEFAULTS = DecisionPolicy()
DETECTION_DEFAULTS = DetectionOptions()
"""Nothing set: the server's defaults. One object, so that methods can have it as the default of an argument."""
