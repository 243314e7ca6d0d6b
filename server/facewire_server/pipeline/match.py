"""Turns the result of a search into decisions: who each face is, with the evidence."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.records import SearchResult
from facewire_server.thresholds import Threshold, ThresholdSource
from facewire_server.types import (
    Candidate,
    CompareOutcome,
    Decision,
    DecisionPolicy,
    Grounds,
    Outcome,
    Quality,
)

__all__ = [
    "IfBothBlurred",
    "candidates_needed",
    "comparable",
    "compare",
    "decisions",
    "threshold_of_pair",
]


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


def comparable(qualities: Sequence[Quality]) -> NDArray[np.bool_]:
    """Returns which faces are good enough to be compared: those in which the gate found no fault.

    Returns:
        (n,) bool.
    """
    return np.array([not quality.faults for quality in qualities], np.bool_)


def candidates_needed(policy: DecisionPolicy) -> int:
    """Returns how many identities a search must find for each probe, besides those to pass over: at least two, for the margin."""
    return max(2, policy.max_candidates)


def decisions(
    found: SearchResult, is_comparable: NDArray[np.bool_], policy: DecisionPolicy
) -> list[Decision]:
    """Decides who each face of a picture is.

    Args:
        found: for each of m probes its nearest identities, `candidates_needed` of them.
        is_comparable: (n,) bool with m that are true: which of n faces the probes are of; the others
            are TOO_POOR.
        policy: when a face counts as recognized.

    Returns:
        n decisions.
    """
    threshold = policy.threshold_among(found.identity_count, found.pairs)
    grounds = policy.grounds_among(found.identity_count, found.pairs)
    too_poor = Decision(
        Outcome.TOO_POOR,
        None,
        0.0,
        threshold.value,
        found.revision,
        threshold_source=threshold.source,
        grounds=grounds,
    )
    decided = [too_poor] * len(is_comparable)
    for row, candidates in zip(np.flatnonzero(is_comparable), found.candidates, strict=True):
        decided[row] = _decide(candidates, policy, threshold, found.revision, grounds)
    return decided


def _decide(
    candidates: tuple[Candidate, ...],
    policy: DecisionPolicy,
    threshold: Threshold,
    revision: int,
    grounds: Grounds | None,
) -> Decision:
    passed_over, left = _passed_over(candidates, threshold.value)
    if passed_over and not (left and left[0].similarity >= threshold.value):
        left = candidates  # no one gets the face
    best = left[0] if left else None
    runner_up = left[1] if len(left) > 1 else None
    margin = best.similarity - runner_up.similarity if best and runner_up else 0.0
    if best is None or best.lead(threshold.value) < 0:
        outcome = Outcome.UNKNOWN
    elif runner_up and runner_up.similarity >= threshold.value and margin < policy.min_margin:
        outcome = Outcome.AMBIGUOUS
    else:
        outcome = Outcome.KNOWN
    listed = candidates[: policy.max_candidates]
    between = left[:2] if outcome is Outcome.AMBIGUOUS else ()
    return Decision(
        outcome,
        best,
        margin,
        threshold.value,
        revision,
        listed,
        threshold.source,
        between,
        look_count=1,
        grounds=grounds,
        passed_over=passed_over[0] if passed_over else None,
    )


def _passed_over(
    candidates: tuple[Candidate, ...], threshold: float
) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
    """Returns those who reach the threshold, and whose negative example the face resembles more; and the others."""
    passed_over: list[Candidate] = []
    left: list[Candidate] = []
    for candidate in candidates:
        is_passed_over = (
            candidate.similarity >= threshold and candidate.is_nearer_to_negative_example
        )
        (passed_over if is_passed_over else left).append(candidate)
    return tuple(passed_over), tuple(left)


def threshold_of_pair(
    qualities: Sequence[Quality], policy: DecisionPolicy, if_both_blurred: IfBothBlurred
) -> float:
    """Returns the threshold for two faces of these qualities; one that the request sets is taken as it is."""
    threshold = policy.threshold_of_pair()
    is_blurred = all(
        quality.directional_sharpness < if_both_blurred.min_directional_sharpness
        for quality in qualities
    )
    if not is_blurred or threshold.source is ThresholdSource.REQUEST:
        return threshold.value
    return min(1.0, threshold.value + if_both_blurred.threshold_raise)


def compare(similarity: float, qualities: Sequence[Quality], threshold: float) -> CompareOutcome:
    """Decides whether two faces of this similarity and these qualities are the same person's."""
    if not comparable(qualities).all():
        return CompareOutcome.TOO_POOR
    return CompareOutcome.SAME if similarity >= threshold else CompareOutcome.DIFFERENT
