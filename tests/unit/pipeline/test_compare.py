"""Two faces are the same person's by a threshold of their own, and the answer says how often two different people match."""

from dataclasses import replace

import pytest

from facewire_server.pipeline.compare import (
    IfBothBlurred,
    compare,
    false_match_rate,
    threshold_of_pair,
)
from facewire_server.thresholds import ThresholdSource
from facewire_server.types import (
    CompareOutcome,
    DecisionPolicy,
    PairThreshold,
    Quality,
    QualityFault,
)
from fakes.error_rates import by_size

POLICY = DecisionPolicy(threshold=0.4, min_margin=0.05, min_inter_eye_px=10.0)
RATES = by_size((1, 0.4), (100, 0.6))
BY_RATE = replace(POLICY, threshold=None, error_rates=RATES)
GOOD = Quality(30.0, 100.0, 120.0)
SMALL = GOOD._replace(faults=(QualityFault.TOO_SMALL,))
SHARP, BLURRED = (GOOD._replace(directional_sharpness=sharpness) for sharpness in (6.0, 5.9))
RULE = IfBothBlurred(6.0, 0.1)
AT_04 = PairThreshold(0.4, ThresholdSource.REQUEST)


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
    assert compare(similarity, [first, second], AT_04) is outcome


def test_the_threshold_is_that_of_one_comparison_and_has_the_rate_that_was_wanted() -> None:
    of_pair = threshold_of_pair([GOOD, GOOD], BY_RATE, IfBothBlurred())
    assert of_pair.value == pytest.approx(0.4)
    assert of_pair.source is ThresholdSource.ERROR_RATE
    assert of_pair.fmr == pytest.approx(RATES.max_fmr)


@pytest.mark.parametrize("source", [ThresholdSource.REQUEST, ThresholdSource.OPERATOR])
def test_a_threshold_that_someone_set_has_the_rate_that_follows(source: ThresholdSource) -> None:
    policy = replace(BY_RATE, threshold=0.5, threshold_source=source)
    of_pair = threshold_of_pair([SHARP, SHARP], policy, RULE)
    assert (of_pair.value, of_pair.source) == (0.5, source)
    assert of_pair.fmr == RATES.calibration.fmr_at(0.5).value < RATES.max_fmr


def test_without_a_calibration_there_is_one_threshold_and_no_rate_is_known() -> None:
    policy = replace(BY_RATE, error_rates=None)
    of_pair = threshold_of_pair([GOOD, GOOD], policy, IfBothBlurred())
    assert of_pair == PairThreshold(0.42, ThresholdSource.GALLERY_SIZE)
    assert false_match_rate(0.9, [GOOD, GOOD], of_pair, policy) is None


@pytest.mark.parametrize(
    ("first", "second", "threshold"),
    [(SHARP, SHARP, 0.4), (SHARP, BLURRED, 0.4), (BLURRED, SHARP, 0.4), (BLURRED, BLURRED, 0.5)],
)
def test_two_blurred_faces_must_resemble_each_other_more(
    first: Quality, second: Quality, threshold: float
) -> None:
    raised = threshold_of_pair([first, second], BY_RATE, RULE)
    assert raised.value == pytest.approx(threshold)
    assert raised.are_both_blurred is (first is second is BLURRED)
    assert raised.blurred_raise == pytest.approx(threshold - 0.4)
    assert raised.fmr == pytest.approx(RATES.max_fmr)  # without what was added


def test_a_raise_ends_at_the_largest_similarity_and_needs_a_limit() -> None:
    both = [BLURRED, BLURRED]
    assert threshold_of_pair(both, BY_RATE, IfBothBlurred(6.0, 0.9)).value == 1.0
    assert threshold_of_pair(both, BY_RATE, IfBothBlurred()).blurred_raise == 0.0


def test_a_threshold_of_the_request_holds_exactly_and_the_answer_says_that_both_are_blurred() -> (
    None
):
    policy = replace(BY_RATE, threshold=0.4, threshold_source=ThresholdSource.REQUEST)
    of_pair = threshold_of_pair([BLURRED, BLURRED], policy, RULE)
    assert (of_pair.value, of_pair.blurred_raise, of_pair.are_both_blurred) == (0.4, 0.0, True)


@pytest.mark.parametrize(
    ("first", "second", "is_known"),
    [
        (SHARP, SHARP, True),
        (SHARP, BLURRED, True),
        (BLURRED, BLURRED, False),
        (SHARP, SMALL, False),
    ],
)
def test_the_rate_of_a_similarity_is_stated_for_faces_like_those_of_the_calibration(
    first: Quality, second: Quality, is_known: bool
) -> None:
    pair = [first, second]
    of_pair = threshold_of_pair(pair, BY_RATE, RULE)
    rate = false_match_rate(0.5, pair, of_pair, BY_RATE)
    assert rate == (RATES.calibration.fmr_at(0.5) if is_known else None)
