"""Decisions follow from similarities by the policy, and carry their grounds."""

from dataclasses import replace

import numpy as np
import pytest

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.match import candidates_needed, comparable, decisions
from facewire_server.thresholds import GalleryPairs, ThresholdSource
from facewire_server.types import (
    Candidate,
    Decision,
    DecisionPolicy,
    Outcome,
    Quality,
    QualityFault,
)
from fakes.error_rates import by_size

POLICY = DecisionPolicy(threshold=0.4, min_margin=0.05, min_inter_eye_px=10.0)
GOOD = Quality(30.0, 100.0, 120.0)
SMALL = GOOD._replace(faults=(QualityFault.TOO_SMALL,))


def found(
    *similarities: float, policy: DecisionPolicy = POLICY, probes: int = 1, among: int = 3
) -> SearchResult:
    """What a search for these probes finds, each the same."""
    candidates = tuple(
        Candidate(f"id{rank}", f"Name {rank}", similarity, f"t{rank}")
        for rank, similarity in enumerate(similarities)
    )
    return SearchResult(7, (candidates[: candidates_needed(policy)],) * probes, among)


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


def decide_with_negatives(*pairs: tuple[float, float | None]) -> Decision:
    """Decides among candidates with these similarities to the identity and to a negative example of it."""
    candidates = tuple(
        Candidate(f"id{rank}", "", similarity, f"t{rank}", negative)
        for rank, (similarity, negative) in enumerate(pairs)
    )
    policy = replace(POLICY, max_candidates=9)
    (decision,) = decisions(SearchResult(7, (candidates,), 9), np.array([True]), policy)
    assert decision.candidates == candidates, "who is passed over is listed, too"
    return decision


def test_a_face_that_is_nearer_to_a_negative_example_does_not_get_the_name() -> None:
    decision = decide_with_negatives((0.6, 0.61))
    assert (decision.outcome, decision.identity, decision.template_id) == (
        Outcome.UNKNOWN,
        None,
        "",
    )
    assert decision.best == decision.passed_over == Candidate("id0", "", 0.6, "t0", 0.61)
    assert decide_with_negatives((0.6, 0.6)).outcome is Outcome.KNOWN, "as near as the person"
    kept = decide_with_negatives((0.6, 0.59))
    assert (kept.outcome, kept.passed_over) == (Outcome.KNOWN, None)


def test_the_next_identity_that_the_face_reaches_gets_it() -> None:
    decision = decide_with_negatives((0.7, 0.8), (0.6, None), (0.5, 0.45))
    assert decision.outcome is Outcome.KNOWN
    assert decision.identity
    assert decision.identity.identity_id == "id1"
    assert decision.margin == pytest.approx(0.1), "to the next one that is not passed over"
    assert decision.passed_over
    assert decision.passed_over.identity_id == "id0"


def test_who_is_passed_over_makes_no_face_ambiguous() -> None:
    assert decide_with_negatives((0.7, 0.6), (0.69, 0.8)).outcome is Outcome.KNOWN
    between = decide_with_negatives((0.7, 0.8), (0.6, None), (0.59, 0.3)).ambiguous_between
    assert [one.identity_id for one in between] == ["id1", "id2"]


def test_if_no_one_gets_the_face_the_best_is_the_most_similar_one() -> None:
    decision = decide_with_negatives((0.7, 0.8), (0.5, 0.6), (0.39, None))
    assert decision.outcome is Outcome.UNKNOWN
    assert decision.best
    assert decision.best.identity_id == "id0"
    assert decision.margin == pytest.approx(0.2)


def test_below_the_threshold_a_negative_example_changes_nothing() -> None:
    decision = decide_with_negatives((0.39, 0.8), (0.3, None))
    assert (decision.outcome, decision.passed_over) == (Outcome.UNKNOWN, None)
    assert decision.margin == pytest.approx(0.09)


BY_RATE = DecisionPolicy(None, 0.05, 10.0, error_rates=by_size((10, 0.4), (100, 0.5), (1000, 0.6)))


@pytest.mark.parametrize(
    ("among", "threshold"),
    [(10, 0.4), (32, 0.4505), (100, 0.5), (1000, 0.6), (10_000, 0.7), (10**9, 1.0)],
)
def test_without_a_threshold_it_follows_from_the_wanted_rate_and_the_identities_searched(
    among: int, threshold: float
) -> None:
    (decision,) = decisions(found(0.45, among=among), np.array([True]), BY_RATE)
    assert decision.threshold == pytest.approx(threshold, abs=1e-4)
    assert decision.threshold_source is ThresholdSource.ERROR_RATE
    assert decision.outcome is (Outcome.KNOWN if threshold <= 0.45 else Outcome.UNKNOWN)


def test_a_threshold_that_is_set_holds_for_every_size_and_names_who_set_it() -> None:
    for source in (ThresholdSource.REQUEST, ThresholdSource.OPERATOR):
        policy = replace(BY_RATE, threshold=0.44, threshold_source=source)
        (decision,) = decisions(found(0.45, among=5000), np.array([True]), policy)
        assert (decision.outcome, decision.threshold) == (Outcome.KNOWN, 0.44)
        assert decision.threshold_source is source


def test_a_face_that_is_not_compared_says_the_threshold_as_well() -> None:
    too_poor, _ = decisions(found(0.9, among=100), np.array([False, True]), BY_RATE)
    assert too_poor.threshold == pytest.approx(0.5)
    assert too_poor.threshold_source is ThresholdSource.ERROR_RATE


def test_people_who_resemble_one_another_raise_it() -> None:
    alike = SearchResult(7, (), 100, GalleryPairs(0.2, 0.09, 100))
    mixed = SearchResult(7, (), 100)
    (first,), (second,) = (decisions(one, np.array([False]), BY_RATE) for one in (alike, mixed))
    assert first.threshold == pytest.approx(second.threshold + 0.1 * 100 / 120)


def test_without_a_calibration_there_is_one_threshold_for_every_size() -> None:
    policy = replace(BY_RATE, error_rates=None)
    for among in (1, 10_000):
        (decision,) = decisions(found(0.45, among=among), np.array([True]), policy)
        assert (decision.threshold, decision.threshold_source) == (
            0.42,
            ThresholdSource.GALLERY_SIZE,
        )


def test_ambiguous_says_between_whom_also_if_no_candidates_are_asked_for() -> None:
    assert [one.identity_id for one in decide(0.60, 0.56, 0.5).ambiguous_between] == ["id0", "id1"]
    assert decide(0.60, 0.54).ambiguous_between == ()
    assert decide(0.39, 0.38).ambiguous_between == ()


def test_an_unknown_face_says_how_near_the_nearest_was() -> None:
    assert decide(0.3).best.similarity == 0.3


def test_the_runner_up_is_searched_for_whatever_is_listed() -> None:
    listing = [DecisionPolicy(0.4, 0.05, 10.0, max_candidates=count) for count in (0, 1, 2, 9)]
    assert [candidates_needed(policy) for policy in listing] == [2, 2, 2, 9]


def test_candidates_are_listed_when_asked_for() -> None:
    policy = DecisionPolicy(0.4, 0.05, 10.0, max_candidates=3)
    listed = decide(0.7, 0.5, 0.3, 0.2, policy=policy).candidates
    assert [candidate.identity_id for candidate in listed] == ["id0", "id1", "id2"]


def test_a_face_with_a_fault_is_not_searched_for() -> None:
    due = comparable([SMALL, GOOD, SMALL])
    decided = decisions(found(0.99), due, POLICY)
    assert [decision.outcome for decision in decided] == [
        Outcome.TOO_POOR,
        Outcome.KNOWN,
        Outcome.TOO_POOR,
    ]
    assert decided[0] == Decision(Outcome.TOO_POOR, None, 0.0, 0.4, 7)


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
    assert decisions(found(0.9, probes=0), comparable([]), POLICY) == []
