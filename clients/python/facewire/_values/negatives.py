"""Faces that were taken for a person and are not this person, as immutable values."""

from dataclasses import dataclass
from datetime import datetime

from facewire._values.enums import ThresholdSource
from facewire._values.faces import Box, Quality

__all__ = ["AddedNegativeExample", "NegativeExample"]


@dataclass(frozen=True, slots=True)
class NegativeExample:
    """A face that was taken for a person and is not this person. The picture is not kept.

    Attributes:
        negative_example_id: its id: 32 hexadecimal digits.
        identity_id: who it is not.
        quality: how good the face was.
        detection_score: the detector's confidence in it. Range [0, 1].
        created_at: when it was added, UTC.
        source: where the picture came from, in the words of the caller who added it.
    """

    negative_example_id: str
    identity_id: str
    quality: Quality
    detection_score: float
    created_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class AddedNegativeExample:
    """What came of adding a negative example.

    Attributes:
        example: the negative example.
        box: position and size of the face.
        similarity: of the face to the person now; 0 if they have no template. Far below `threshold` the example hardly matters; one as
            the person's own pictures have may be a mistake.
        threshold: what a probe of this gallery is compared with now, unless its request sets a threshold.
        threshold_source: why it has its value.
        revision: the gallery's revision after the write.
    """

    example: NegativeExample
    box: Box
    similarity: float
    threshold: float
    threshold_source: ThresholdSource
    revision: int
