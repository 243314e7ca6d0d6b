"""Options of a request; None and 0 mean the server's defaults."""

from dataclasses import dataclass
from typing import Final

__all__ = ["DECISION_DEFAULTS", "DETECTION_DEFAULTS", "DecisionPolicy", "DetectionOptions"]


_DAYS_A_MONTH: Final = 365.25 / 12
_MOST_FPIR: Final = 0.5
"""The contract's limit of `max_fpir`."""


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """When a face counts as recognized.

    Attributes:
        threshold: lowest similarity of a match, which holds exactly. Range (0, 1]. Not with `max_fpir`. Default: the
            gallery's, see `Gallery.threshold`.
        min_margin: lead over a runner-up that also reaches the threshold, under which the outcome is AMBIGUOUS.
            Range [0, 1].
        min_inter_eye_px: inter-eye distance under which the outcome is TOO_POOR,
            pixels. Range [0, 1000].
        max_fpir: wanted share of looks at people who are not enrolled that give a name, from which the threshold
            follows; a visit of a stream counts as one look. When two pictures are compared: the share of pairs of different people
            that match. Range (0, 0.5]. Default: the server's. A server without `Feature.ERROR_RATES` ignores it.
    """

    threshold: float | None = None
    min_margin: float | None = None
    min_inter_eye_px: float | None = None
    max_fpir: float | None = None

    @classmethod
    def of_alarms(cls, alarms_a_month: float, strangers_a_day: float) -> "DecisionPolicy":
        """Returns the policy that gives at most this number of false names a month, on average.

        Args:
            alarms_a_month: > 0.
            strangers_a_day: visits of people who are not enrolled, > 0.

        Raises:
            ValueError: a number is not positive.
        """
        if not (alarms_a_month > 0 and strangers_a_day > 0):
            raise ValueError("alarms a month and strangers a day must be positive")
        return cls(max_fpir=min(_MOST_FPIR, alarms_a_month / (strangers_a_day * _DAYS_A_MONTH)))


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
