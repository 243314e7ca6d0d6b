"""Decisions follow from similarities by the policy, and carry their grounds."""

import numpy as np
import pytest

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.match import candidates_needed, comparable, compare, decisions
from facewire_server.types import (
    Candidate,
    CompareOutcome,
    Decision,
    DecisionPolicy,
    Outcome,
    Quality,
)

POLICY = DecisionPolicy(threshold=0.4, min_margin=0.05, min_inter_eye_px=10.0)
GOOD, SMALL = Quality(30.0, 100.0, 120.0), Quality(9.9, 100.0, 120.0)


def found(*similarities: float, policy: DecisionPolicy = POLICY, probes: int = 1) -> SearchResult:
    """What a search for these probes finds, each the same."""
    candidates = tuple(
        Candidate(f"id{rank}", f"Name {rank}", similarity, f"t{rank}")
        for rank, similarity in enumerate(similarities)
    )
    return SearchResult(7, (candidates[: candidates_needed(policy)],) * probes)


def decide(*similarities: float, policy: DecisionPolicy = POLICY):
    (decision,) = decisions(found(*similarities, policy=policy), np.array([True]), policy)
    return decision


@pytest.mark.parametrize(
    ("similarities", "outcome"),
    [
        ((), Outcome.UNKNOWN),
        ((0.39,), Outcome.UNKNOWN),
        ((0.40,), Outcome.KNOWN),
        ((0.60, 0.56), Outcome.AMBIGUOUS),
        ((0.60, 0.54), Outcome.KNOWN),
        ((0.42, 0.39), Outcome.KNOWN),  # the runner-up does not reach the threshold
    ],
)
def test_the_outcome_follows_from_threshold_and_margin(
    similarities: tuple[float, ...], outcome: Outcome
) -> None:
    assert decide(*similarities).outcome is outcome


def test_a_decision_carries_its_grounds() -> None:
    decision = decide(0.7, 0.5, 0.3)
    assert decision.best == Candidate("id0", "Name 0", 0.7, "t0")
    assert decision.margin == pytest.approx(0.2)
    assert (decision.threshold, decision.gallery_revision) == (0.4, 7)
    assert decision.candidates == ()


def test_an_unknown_face_says_how_near_the_nearest_was() -> None:
    assert decide(0.3).best.similarity == 0.3


def test_the_runner_up_is_searched_for_whatever_is_listed() -> None:
    listing = [DecisionPolicy(0.4, 0.05, 10.0, max_candidates=count) for count in (0, 1, 2, 9)]
    assert [candidates_needed(policy) for policy in listing] == [2, 2, 2, 9]


def test_candidates_are_listed_when_asked_for() -> None:
    policy = DecisionPolicy(0.4, 0.05, 10.0, max_candidates=3)
    listed = decide(0.7, 0.5, 0.3, 0.2, policy=policy).candidates
    assert [candidate.identity_id for candidate in listed] == ["id0", "id1", "id2"]


def test_a_face_too_small_is_not_searched_for() -> None:
    due = comparable([SMALL, GOOD, SMALL], POLICY)
    decided = decisions(found(0.99), due, POLICY)
    assert [decision.outcome for decision in decided] == [
        Outcome.TOO_POOR,
        Outcome.KNOWN,
        Outcome.TOO_POOR,
    ]
    assert decided[0] == Decision(Outcome.TOO_POOR, None, 0.0, 0.4, 7)


def test_a_face_just_large_enough_is_compared() -> None:
    assert comparable([Quality(10.0, 0.0, 0.0)], POLICY).all()


@pytest.mark.parametrize(
    ("similarities", "margin", "outcome"),
    [
        ((0.75,), 0.0, Outcome.KNOWN),
        ((), 0.0, Outcome.UNKNOWN),
        ((0.75, 0.625), 0.125, Outcome.KNOWN),  # a lead of just the margin is enough
        ((0.5625, 0.5), 0.0625, Outcome.AMBIGUOUS),  # the runner-up just reaches the threshold
    ],
)
def test_the_margin_is_the_lead_over_the_runner_up_and_zero_without_one(
    similarities: tuple[float, ...], margin: float, outcome: Outcome
) -> None:
    decision = decide(*similarities, policy=DecisionPolicy(0.5, 0.125, 10.0))
    assert (decision.margin, decision.outcome) == (margin, outcome)


def test_no_face_is_no_decision() -> None:
    assert decisions(found(0.9, probes=0), comparable([], POLICY), POLICY) == []


@pytest.mark.parametrize(
    ("similarity", "first", "second", "outcome"),
    [
        (0.4, GOOD, GOOD, CompareOutcome.SAME),
        (0.39, GOOD, GOOD, CompareOutcome.DIFFERENT),
        (0.99, GOOD, SMALL, CompareOutcome.TOO_POOR),
        (0.99, SMALL, GOOD, CompareOutcome.TOO_POOR),
    ],
)
def test_comparison(
    similarity: float, first: Quality, second: Quality, outcome: CompareOutcome
) -> None:
    assert compare(similarity, [first, second], POLICY) is outcome
