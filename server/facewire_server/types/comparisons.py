"""The answer to two pictures, with its evidence."""

from dataclasses import dataclass
from enum import Enum

from facewire_server.thresholds import FalseMatchRate, ThresholdSource
from facewire_server.types.decisions import Face

__all__ = ["CompareOutcome", "Comparison", "PairThreshold"]


class CompareOutcome(Enum):
    """The conclusion about two faces (`facewire.v1.CompareOutcome`)."""

    SAME = "same"
    DIFFERENT = "different"
    TOO_POOR = "too poor"


@dataclass(frozen=True, slots=True)
class PairThreshold:
    """The threshold of two faces, and what it follows from.

    Attributes:
        value: lowest similarity of the same person, with `blurred_raise`.
        source: who chose it.
        fmr: estimated share of comparisons of two different people that reach it without `blurred_raise`; None without a
            calibration.
        are_both_blurred: the faces resemble each other more, whoever they are.
        blurred_raise: what was added since they are.
    """

    value: float
    source: ThresholdSource
    fmr: float | None = None
    are_both_blurred: bool = False
    blurred_raise: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer to two pictures.

    Attributes:
        outcome: the conclusion.
        similarity: cosine of the two faces' embeddings.
        threshold: that it was compared with.
        first, second: the faces compared.
        false_match_rate: of the similarity; None if the calibration does not say it of such faces, or there is none.
    """

    outcome: CompareOutcome
    similarity: float
    threshold: PairThreshold
    first: Face
    second: Face
    false_match_rate: FalseMatchRate | None = None
