"""The threshold of a match, and who chose it."""

from enum import Enum
from typing import NamedTuple

__all__ = ["Threshold", "ThresholdSource"]


class ThresholdSource(Enum):
    """Who chose a threshold (`facewire.v1.ThresholdSource`)."""

    REQUEST = "request"
    OPERATOR = "operator"
    GALLERY_SIZE = "gallery size"


class Threshold(NamedTuple):
    """A threshold in force, and who chose it."""

    value: float
    source: ThresholdSource
