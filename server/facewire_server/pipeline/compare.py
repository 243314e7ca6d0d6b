"""Decides whether two faces are the same person's, with the evidence."""

from collections.abc import Sequence
from typing import NamedTuple

from facewire_server.pipeline.match import comparable
from facewire_server.thresholds import FalseMatchRate, ThresholdSource
from facewire_server.types import CompareOutcome, DecisionPolicy, PairThreshold, Quality

__all__ = ["IfBothBlurred", "compare", "false_match_rate", "threshold_of_pair"]


class IfBothBlurred(NamedTuple):
    """What changes if both faces of a comparison are blurred: they resemble each other, whoever they are.

    Of two strangers smeared by 21 px 3.8 % match at 0.42, and 0.4 % at 0.52; of two pictures of one person 85 % and 71 %. A
    blurred face and a sharp one of strangers match no more often than two sharp ones.

    Attributes:
        min_directional_sharpness: below it a face is blurred; 0 = none is.
        threshold_raise: added to the threshold.
    """

    min_directional_sharpness: float = 0.0
    threshold_raise: float = 0.0


def threshold_of_pair(
    qualities: Sequence[Quality], policy: DecisionPolicy, if_both_blurred: IfBothBlurred
) -> PairThreshold:
    """Returns the threshold for two faces of these qualities; one that the request sets is taken as it is."""
    usual = policy.threshold_of_pair()
    rates = policy.error_rates
    fmr = rates.calibration.fmr_at(usual.value).value if rates else None
    are_both_blurred = all(
        quality.directional_sharpness < if_both_blurred.min_directional_sharpness
        for quality in qualities
    )
    added = 0.0
    if are_both_blurred and usual.source is not ThresholdSource.REQUEST:
        added = min(1.0 - usual.value, if_both_blurred.threshold_raise)
    return PairThreshold(usual.value + added, usual.source, fmr, are_both_blurred, added)


def compare(
    similarity: float, qualities: Sequence[Quality], threshold: PairThreshold
) -> CompareOutcome:
    """Decides whether two faces of this similarity and these qualities are the same person's."""
    if not comparable(qualities).all():
        return CompareOutcome.TOO_POOR
    return CompareOutcome.SAME if similarity >= threshold.value else CompareOutcome.DIFFERENT


def false_match_rate(
    similarity: float,
    qualities: Sequence[Quality],
    threshold: PairThreshold,
    policy: DecisionPolicy,
) -> FalseMatchRate | None:
    """Returns how often a comparison of two different people reaches a similarity.

    Returns:
        None without a calibration, and of faces for which it does not hold: poor ones, and two that are blurred, match
        hundreds of times as often.
    """
    rates = policy.error_rates
    if rates is None or threshold.are_both_blurred or not comparable(qualities).all():
        return None
    return rates.calibration.fmr_at(similarity)
