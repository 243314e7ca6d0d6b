"""Decisions follow from similarities by the policy, and carry their grounds."""

import numpy as np
import pytest

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.match import comparable, compare, match
from facewire_server.types import (
    Candidate,
    CompareOutcome,
    DecisionPolicy,
    Outcome,
    Quality,
)

POLICY = DecisionPolicy(threshold=0.4, min_margin=0.05, min_inter_eye_px=10.0)
GOOD, SMALL = Quality(30.0, 100.0, 120.0), Quality(9.9, 100.0, 120.0)


class Found:
    """A gallery that finds what it is told to."""

    def __init__(self, *similarities: float) -> None:
        self.candidates = tuple(
            Candidate(f"id{rank}", f"Name {rank}", similarity, f"t{rank}")
            for rank, similarity in enumerate(similarities)
        )

    def search(self, gallery_id: str, probes: np.ndarray, k: int) -> SearchResult:
        return SearchResult(7, (self.candidates[:k],) * len(probes))


def decide(*similarities: float, policy: DecisionPolicy = POLICY):
    due = np.array([True])
    decisions, revision = match(np.zeros((1, 4)), due, Found(*similarities), "g", policy)
    assert revision == 7
    return decisions[0]


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


def test_candidates_are_listed_when_asked_for() -> None:
    policy = DecisionPolicy(0.4, 0.05, 10.0, max_candidates=3)
    listed = decide(0.7, 0.5, 0.3, 0.2, policy=policy).candidates
    assert [candidate.identity_id for candidate in listed] == ["id0", "id1", "id2"]


def test_a_face_too_small_is_not_searched_for() -> None:
    due = comparable([SMALL, GOOD, SMALL], POLICY)
    decisions, _ = match(np.zeros((1, 4)), due, Found(0.99), "g", POLICY)
    assert [decision.outcome for decision in decisions] == [
        Outcome.TOO_POOR,
        Outcome.KNOWN,
        Outcome.TOO_POOR,
    ]
    assert decisions[0].best is None


def test_no_face_is_no_decision() -> None:
    assert match(np.zeros((0, 4)), comparable([], POLICY), Found(0.9), "g", POLICY) == ([], 7)


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
