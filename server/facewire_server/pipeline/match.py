"""Turns the result of a search into decisions: who each face is, with the evidence."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.records import SearchResult
from facewire_server.thresholds import Threshold
from facewire_server.types import (
    Candidate,
    Decision,
    DecisionPolicy,
    Grounds,
    Outcome,
    Quality,
)

__all__ = ["candidates_needed", "comparable", "decisions"]


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
    passed_over = [one for one in candidates if one.is_passed_over(threshold.value)]
    left = [one for one in candidates if one not in passed_over]
    rivals = [one for one in candidates if not one.is_nearer_to_negative_example]
    contenders = tuple(
        one for one in candidates if one.is_nearer_to_negative_example or one in rivals[:1]
    )
    if passed_over and not (left and left[0].similarity >= threshold.value):
        left = [*candidates]  # no one gets the face
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
    between = tuple(left[:2]) if outcome is Outcome.AMBIGUOUS else ()
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
        contenders=contenders,
    )
