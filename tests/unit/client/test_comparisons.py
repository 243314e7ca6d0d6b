"""What two pictures' comparison rests on is said in words, with the numbers of the answer."""

from dataclasses import replace

import pytest

from facewire import CompareOutcome, Comparison, ThresholdSource
from facewire._wire.read_results import read_comparison
from facewire.cli._compare import comparison_lines
from facewire.v1 import face_pb2, recognition_pb2

COMPARED = Comparison(
    CompareOutcome.SAME,
    0.5,
    0.426,
    None,  # type: ignore[arg-type]
    None,  # type: ignore[arg-type]
    "c" * 64,
    false_match_rate=1 / 20_000,
    false_match_rate_bound=1 / 8_000,
    threshold_source=ThresholdSource.ERROR_RATE,
    threshold_false_match_rate=1e-4,
)


def explained(is_rate_of_request: bool = False, /, **values: object) -> list[str]:
    made = replace(COMPARED, **values)  # type: ignore[arg-type]
    return comparison_lines(made, is_rate_of_request=is_rate_of_request)


def test_a_comparison_says_how_often_two_different_people_match() -> None:
    found, rate, threshold = explained()
    assert found == "the same person (similarity 0.500, threshold 0.426)"
    assert rate == (
        "1 comparison of two different people in 20,000 reaches this similarity (at most 1 in 8,000)"
    )
    assert threshold == (
        "threshold 0.426, chosen by the server for the server's error rate (max_fmr) of 0.01%: "
        "1 comparison of two different people in 10,000 reaches it"
    )


def test_a_rate_that_is_no_rarity_is_in_percent() -> None:
    _, rate, _ = explained(similarity=0.1, false_match_rate=0.52, false_match_rate_bound=0.55)
    assert rate == "52% of comparisons of two different people reach this similarity"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (ThresholdSource.REQUEST, "set by this request: it holds exactly; 1 comparison"),
        (ThresholdSource.OPERATOR, "set by the operator of the server; 1 comparison"),
        (ThresholdSource.ERROR_RATE, "chosen by the server for this request's error rate"),
    ],
)
def test_a_threshold_says_who_chose_it(source: ThresholdSource, words: str) -> None:
    assert words in explained(True, threshold_source=source)[-1]


def test_a_rate_beyond_the_data_is_a_guess() -> None:
    assert explained(is_extrapolated=True)[1].endswith(", a guess beyond the calibration's data")
    assert "fewer than 1 comparison" in explained(false_match_rate=1e-9)[1]


def test_a_model_without_a_calibration_has_no_rates() -> None:
    found, threshold = explained(
        false_match_rate=None,
        threshold_source=ThresholdSource.GALLERY_SIZE,
        threshold_false_match_rate=None,
    )
    assert found.startswith("the same person")
    assert threshold == (
        "threshold 0.426, the server's for a model without a calibration; "
        "how often two different people reach it is not known"
    )


def test_two_blurred_faces_are_said_to_be() -> None:
    blurred = {"false_match_rate": None, "are_both_blurred": True}
    found, threshold, raised = explained(**blurred, threshold=0.526, threshold_raise=0.1)
    assert found.endswith("threshold 0.526)")
    assert threshold.startswith("threshold 0.426, chosen by the server")
    assert raised.startswith("both faces are blurred")
    assert raised.endswith("the threshold is raised by 0.100")
    assert explained(**blurred)[-1].endswith("the threshold is not raised for them")


def test_an_old_server_states_no_evidence() -> None:
    message = recognition_pb2.CompareResponse(
        outcome=recognition_pb2.COMPARE_OUTCOME_DIFFERENT, similarity=0.25, threshold=0.5
    )
    old = read_comparison(message)
    assert (old.false_match_rate, old.threshold_false_match_rate) == (None, None)
    assert old.threshold_source is ThresholdSource.UNSPECIFIED
    assert comparison_lines(old, is_rate_of_request=False) == [
        "different people (similarity 0.250, threshold 0.500)"
    ]


def test_each_number_is_taken_from_the_field_of_its_name() -> None:
    read = read_comparison(
        recognition_pb2.CompareResponse(
            false_match_rate=0.0625,
            false_match_rate_bound=0.125,
            is_extrapolated=True,
            threshold_source=face_pb2.THRESHOLD_SOURCE_OPERATOR,
            threshold_false_match_rate=0.25,
            are_both_blurred=True,
            threshold_raise=0.5,
        )
    )
    assert (read.false_match_rate, read.false_match_rate_bound) == (0.0625, 0.125)
    assert (read.threshold_false_match_rate, read.threshold_raise) == (0.25, 0.5)
    assert read.threshold_source is ThresholdSource.OPERATOR
    assert read.is_extrapolated
    assert read.are_both_blurred
