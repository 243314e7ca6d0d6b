"""A decision says by which rule it was made, and with which numbers, if that was asked for."""

from dataclasses import replace

import numpy as np
import pytest

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.match import decisions
from facewire_server.thresholds import GalleryPairs, ThresholdSource
from facewire_server.types import Candidate, Decision, DecisionPolicy, Outcome
from facewire_server.types.judgments import DecidingRule, Judgment, judgment_of
from fakes.error_rates import by_size

RATES = by_size((10, 0.4), (40, 0.5))
POLICY = DecisionPolicy(None, 0.05, 10.0, error_rates=RATES, explains=True)
PAIRS = GalleryPairs(0.1, 0.08, 30)


def decided(
    *similarities: float, policy: DecisionPolicy = POLICY, pairs: GalleryPairs = PAIRS, poor=False
) -> Decision:
    """Among 40 identities, or as many as there are similarities if these are fewer than two."""
    candidates = tuple(Candidate(f"id{n}", "", one, f"t{n}") for n, one in enumerate(similarities))
    count = 40 if len(similarities) > 1 else len(similarities)
    found = SearchResult(7, () if poor else (candidates[:2],), count, pairs)
    (decision,) = decisions(found, np.array([not poor]), policy)
    return decision


def judged(*similarities: float, policy: DecisionPolicy = POLICY, poor=False) -> Judgment:
    judgment = judgment_of(decided(*similarities, policy=policy, poor=poor))
    assert judgment is not None
    return judgment


@pytest.mark.parametrize(
    ("similarities", "rule"),
    [
        ((), DecidingRule.NO_PERSON_TO_COMPARE),
        ((0.2,), DecidingRule.BELOW_THRESHOLD),
        ((0.9,), DecidingRule.ALONE_ABOVE_THRESHOLD),
        ((0.9, 0.2), DecidingRule.ALONE_ABOVE_THRESHOLD),
        ((0.9, 0.7), DecidingRule.CLEAR_OF_RUNNER_UP),
        ((0.9, 0.87), DecidingRule.WITHIN_MARGIN),
    ],
)
def test_the_rule_that_decided_is_named(similarities: tuple[float, ...], rule: DecidingRule):
    assert judged(*similarities).deciding_rule is rule


def test_a_poor_face_and_an_open_verdict_have_rules_of_their_own():
    poor = judged(poor=True)
    assert (poor.deciding_rule, poor.false_match_rate) == (DecidingRule.FACE_TOO_POOR, None)
    pending = replace(decided(0.9, 0.2), outcome=Outcome.PENDING)
    judgment = judgment_of(pending)
    assert judgment
    assert judgment.deciding_rule is DecidingRule.TOO_FEW_LOOKS


def test_a_face_that_is_nearer_to_a_negative_example_has_a_rule_of_its_own():
    passed_over = Candidate("id0", "", 0.9, "t0", 0.95)
    found = SearchResult(7, ((passed_over, Candidate("id1", "", 0.2, "t1")),), 40, PAIRS)
    (decision,) = decisions(found, np.array([True]), POLICY)
    judgment = judgment_of(decision)
    assert judgment
    assert judgment.deciding_rule is DecidingRule.NEARER_TO_NEGATIVE_EXAMPLE
    found = SearchResult(7, ((passed_over, Candidate("id1", "", 0.8, "t1")),), 40, PAIRS)
    (decision,) = decisions(found, np.array([True]), POLICY)
    judgment = judgment_of(decision)
    assert judgment
    assert judgment.deciding_rule is DecidingRule.ALONE_ABOVE_THRESHOLD


def test_the_numbers_are_those_of_the_gallerys_rule():
    decision = decided(0.9, 0.2)
    judgment = judgment_of(decision)
    assert judgment
    grounds = judgment.grounds
    rule = RATES.threshold_among(40, PAIRS).rule
    assert grounds.rule == rule
    assert (grounds.identity_count, grounds.min_margin, grounds.min_inter_eye_px) == (40, 0.05, 10)
    assert rule
    assert judgment.false_match_rate == rule.likeness.fmr_at(0.9)
    # As many strangers get a name as the threshold is chosen for, unless that of a pair is above it.
    assert decision.threshold == rule.threshold
    assert judgment.fpir == pytest.approx(RATES.max_fpir)


def test_a_threshold_that_was_set_has_a_rate_of_false_names_too():
    fixed = replace(POLICY, threshold=0.3, threshold_source=ThresholdSource.REQUEST)
    low, high = (
        judged(0.9, 0.2, policy=fixed),
        judged(0.9, 0.2, policy=replace(fixed, threshold=0.6)),
    )
    assert low.fpir
    assert high.fpir
    assert low.fpir > RATES.max_fpir > high.fpir
    assert low.false_match_rate == high.false_match_rate == judged(0.9, 0.2).false_match_rate
    certain = judged(0.9, 0.2, policy=replace(fixed, threshold=0.01))
    assert certain.fpir == 1.0


def test_without_a_calibration_the_rule_is_still_named():
    guessed = judged(0.9, 0.2, policy=replace(POLICY, error_rates=None))
    assert guessed.deciding_rule is DecidingRule.ALONE_ABOVE_THRESHOLD
    assert (guessed.grounds.rule, guessed.false_match_rate, guessed.fpir) == (None, None, None)


def test_nothing_is_said_unless_it_was_asked_for():
    decision = decided(0.9, 0.2, policy=replace(POLICY, explains=False))
    assert (decision.grounds, judgment_of(decision)) == (None, None)
