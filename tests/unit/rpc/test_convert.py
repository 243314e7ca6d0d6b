"""Messages and types say the same."""

from dataclasses import replace
from typing import Any

import pytest

from facewire.v1 import face_pb2, recognition_pb2
from facewire_server import errors
from facewire_server.rpc import convert, convert_quality, convert_recognition
from facewire_server.rpc.checks import checked_text
from facewire_server.streams.values import Answered, SkipReason
from facewire_server.thresholds import ThresholdSource
from facewire_server.types import (
    Candidate,
    CompareOutcome,
    Decision,
    DecisionPolicy,
    FaceSelection,
    Outcome,
    PictureFormat,
    QualityFault,
    Timings,
)
from fakes.error_rates import by_size
from fakes.recognizer import a_face
from fakes.wire import DEFAULTS, LIMITS

BEST = Candidate("id-1", "One", 0.5, "a" * 32)


def decided(outcome: Outcome, *candidates: Candidate) -> face_pb2.Decision:
    decision = Decision(outcome, BEST, 0.25, 0.375, 7, candidates)
    return convert.face_message(a_face(decision)).decision


def test_every_format_selection_outcome_and_fault_has_its_word() -> None:
    assert set(convert_quality._FAULTS) == set(QualityFault)
    assert set(convert._FORMATS) == set(face_pb2.ImageFormat.values())
    assert set(convert._FORMATS.values()) == set(PictureFormat)
    assert set(convert._SELECTIONS.values()) == set(FaceSelection)
    assert set(convert._OUTCOMES) == set(Outcome)
    assert set(convert_recognition._COMPARE_OUTCOMES) == set(CompareOutcome)
    assert set(convert_recognition._SKIP_REASONS) == set(SkipReason)
    assert set(convert_recognition._NEWEST_WINS) == set(recognition_pb2.FramePolicy.values())


def test_a_word_of_the_wire_is_the_value_of_the_same_name() -> None:
    for prefix, enum, words in (
        ("IMAGE_FORMAT_", face_pb2.ImageFormat, {v: k for k, v in convert._FORMATS.items()}),
        ("FACE_SELECTION_", face_pb2.FaceSelection, {v: k for k, v in convert._SELECTIONS.items()}),
        ("OUTCOME_", face_pb2.Outcome, convert._OUTCOMES),
        (
            "COMPARE_OUTCOME_",
            recognition_pb2.CompareOutcome,
            convert_recognition._COMPARE_OUTCOMES,
        ),
        ("QUALITY_FAULT_", face_pb2.QualityFault, convert_quality._FAULTS),
        ("SKIP_REASON_", recognition_pb2.SkipReason, convert_recognition._SKIP_REASONS),
    ):
        for value, number in words.items():
            name = "UNSPECIFIED" if value is PictureFormat.SNIFF else value.name
            assert enum.Name(number) == prefix + name


def test_a_name_is_told_only_when_known() -> None:
    known = decided(Outcome.KNOWN)
    assert (known.identity_id, known.display_name, known.template_id) == ("id-1", "One", "a" * 32)
    ambiguous = decided(Outcome.AMBIGUOUS)
    assert (ambiguous.identity_id, ambiguous.display_name) == ("", "")
    assert ambiguous.template_id == "a" * 32
    unknown = decided(Outcome.UNKNOWN)
    assert (unknown.identity_id, unknown.template_id) == ("", "")
    assert unknown.similarity == 0.5


def test_candidates_are_told_as_asked_for() -> None:
    message = decided(Outcome.UNKNOWN, BEST)
    assert message.candidates[0].identity_id == "id-1"
    assert message.candidates[0].similarity == 0.5


def test_landmarks_keep_their_order() -> None:
    message = convert.face_message(a_face()).landmarks
    names = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]
    points = [(getattr(message, name).x_px, getattr(message, name).y_px) for name in names]
    assert points == [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]


def test_unset_options_are_the_defaults() -> None:
    options = convert.detection_options(face_pb2.DetectionOptions(), DEFAULTS.picture)
    assert options == DEFAULTS.picture
    policy = convert.decision_policy(face_pb2.DecisionPolicy(), DEFAULTS.decision)
    assert policy == DEFAULTS.decision


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"min_face_px": 7}, "min_face_px"),
        ({"min_face_px": 65536}, "min_face_px"),
        ({"min_score": 0.5}, "min_score"),
        ({"min_score": float("nan")}, "min_score"),
        ({"max_faces": 1025}, "max_faces"),
    ],
)
def test_detection_options_out_of_range_name_their_field(
    fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(errors.InvalidField) as caught:
        convert.detection_options(face_pb2.DetectionOptions(**fields), DEFAULTS.picture)
    assert caught.value.field == f"detection.{field}"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"min_margin": -0.1}, "min_margin"),
        ({"min_inter_eye_px": float("inf")}, "min_inter_eye_px"),
    ],
)
def test_decision_policies_out_of_range_name_their_field(
    fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(errors.InvalidField) as caught:
        convert.decision_policy(
            face_pb2.DecisionPolicy(**fields), DEFAULTS.decision, parent="config."
        )
    assert caught.value.field == f"config.decision_policy.{field}"


def test_the_lowest_score_of_the_contract_is_accepted_as_a_float() -> None:
    message = face_pb2.DetectionOptions(min_score=0.7)
    assert convert.detection_options(message, DEFAULTS.picture).min_score < 0.7


def test_times_are_whole_microseconds_and_never_overflow() -> None:
    message = convert.timings_message(Timings(queue_s=1.5e-6, total_s=1e9))
    assert (message.queue_us, message.total_us) == (2, 2**32 - 1)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UndecodableImage("x"), recognition_pb2.FRAME_STATUS_INVALID),
        (errors.InvalidField("x"), recognition_pb2.FRAME_STATUS_INVALID),
        (errors.ModelUnavailable("x"), recognition_pb2.FRAME_STATUS_UNAVAILABLE),
        (errors.OutOfMemory("x"), recognition_pb2.FRAME_STATUS_UNAVAILABLE),
        (errors.TimedOut("x"), recognition_pb2.FRAME_STATUS_TIMED_OUT),
    ],
)
def test_a_frame_that_failed_says_how(error: errors.ServerError, status: int) -> None:
    message = convert_recognition.stream_output(Answered(3, 4, error), LIMITS, "c" * 64)
    result = message.frame
    assert (result.sequence, result.captured_at_us, result.status) == (3, 4, status)
    assert result.reason
    assert result.detail == "x"


def test_a_text_is_measured_in_bytes() -> None:
    assert checked_text("é" * 64, "x", max_bytes=128)
    with pytest.raises(errors.InvalidField):
        checked_text("é" * 65, "x", max_bytes=128)


RATED = replace(DEFAULTS.decision, threshold=None, error_rates=by_size((10, 0.4), (100, 0.5)))


@pytest.mark.parametrize("default", [RATED, replace(RATED, threshold=0.7)])
def test_a_request_may_want_an_error_rate_whatever_the_operator_set(
    default: DecisionPolicy,
) -> None:
    policy = convert.decision_policy(face_pb2.DecisionPolicy(max_fpir=0.001), default)
    threshold = policy.threshold_among(10)
    assert threshold.value == pytest.approx(
        0.5
    )  # a tenth of the rate, as of ten times as many people
    assert threshold.source is ThresholdSource.ERROR_RATE
    assert policy.threshold_of_pair().value == pytest.approx(0.4)  # 1e-3 of one comparison


def test_a_threshold_of_a_request_holds_exactly() -> None:
    policy = convert.decision_policy(face_pb2.DecisionPolicy(threshold=0.3), RATED)
    for threshold in (policy.threshold_among(10_000), policy.threshold_of_pair()):
        assert (round(threshold.value, 6), threshold.source) == (0.3, ThresholdSource.REQUEST)


def test_a_threshold_and_an_error_rate_contradict_each_other() -> None:
    both = face_pb2.DecisionPolicy(threshold=0.4, max_fpir=0.01)
    with pytest.raises(errors.InvalidField, match="set one of them") as caught:
        convert.decision_policy(both, RATED, parent="config.")
    assert caught.value.field == "config.decision_policy.max_fpir"


def test_an_error_rate_needs_a_calibration() -> None:
    with pytest.raises(errors.InvalidField, match="no calibration: set the threshold"):
        convert.decision_policy(
            face_pb2.DecisionPolicy(max_fpir=0.01), replace(RATED, error_rates=None)
        )


@pytest.mark.parametrize("rate", [0.0, -0.1, 0.51, float("nan"), float("inf")])
def test_an_error_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(errors.InvalidField) as caught:
        convert.decision_policy(face_pb2.DecisionPolicy(max_fpir=rate), RATED)
    assert caught.value.field == "decision_policy.max_fpir"
