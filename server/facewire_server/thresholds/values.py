"""The threshold of a match, and who chose it."""

from enum import Enum
from typing import Final, NamedTuple

from facewire_server.thresholds.rule import GalleryRule

__all__ = ["UNCALIBRATED", "Threshold", "ThresholdSource"]

UNCALIBRATED: Final = 0.42
"""The threshold for a model contract without a calibration, whatever the gallery: a guess, and the server's first log entry
says so. Measured for SFace and one comparison (decision 10)."""


class ThresholdSource(Enum):
    """Who chose a threshold (`facewire.v1.ThresholdSource`).

    GALLERY_SIZE is of servers before error rates, whose kept events say it, and of model contracts without a calibration.
    """

    REQUEST = "request"
    OPERATOR = "operator"
    GALLERY_SIZE = "gallery size"
    ERROR_RATE = "error rate"


class Threshold(NamedTuple):
    """A threshold in force, and who chose it.

    Attributes:
        value: lowest similarity of a match.
        source: who chose it.
        rule: what it follows from, if the source is ERROR_RATE.
    """

    value: float
    source: ThresholdSource
    rule: GalleryRule | None = None
