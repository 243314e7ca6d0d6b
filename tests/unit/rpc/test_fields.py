"""No field of a value is lost, or exchanged for another, on its way to the wire or from it."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from facewire.v1 import face_pb2, gallery_pb2, recognition_pb2
from facewire_server.errors import InvalidField
from facewire_server.galleries.records import (
    Enrollment,
    EnrollmentResult,
    ExportedNegativeExample,
    ExportedTemplate,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
    NegativeExampleInfo,
    TemplateInfo,
)
from facewire_server.galleries.refusal import Refusal
from facewire_server.rpc import (
    convert,
    convert_gallery,
    convert_recognition,
    convert_tracks,
    convert_transfer,
)
from facewire_server.streams.values import Answered, Frame, Skipped, SkipReason, StreamPlan
from facewire_server.thresholds import FalseMatchRate, GalleryPairs, ThresholdSource
from facewire_server.types import (
    Candidate,
    CompareOutcome,
    Comparison,
    Decision,
    Grounds,
    Outcome,
    PairThreshold,
    Picture,
    PictureFormat,
    Quality,
    QualityFault,
    Recognition,
    Timings,
)
from facewire_server.types.judgments import DecidingRule
from fakes.error_rates import by_size
from fakes.recognizer import a_face
from fakes.tracks import track_event
from fakes.wire import DEFAULTS, LIMITS, UNKNOWN_FORMAT

# Every number and text below is another one, so that an exchange shows; float32 holds the fractions.
QUALITY = Quality(
    inter_eye_px=32.5,
    sharpness=100.25,
    brightness=128.75,
    directional_sharpness=40.5,
    embedding_norm=11.25,
    yaw=-0.125,
    pitch=0.0625,
    faults=(QualityFault.BLURRED, QualityFault.UPSIDE_DOWN),
)
GALLERY = GalleryInfo(
    "doors", "Front doors", 7, 11, 13, "c" * 64, 17, 19, negative_example_count=23
)
IDENTITY = IdentityInfo("ada", "Ada", 3, 19, 5)
TEMPLATE = TemplateInfo("a" * 32, "ada", QUALITY, 0.75, 23, "front door")
EXPORTED = ExportedTemplate(TEMPLATE, np.array([0, 1, 0, 0], np.float32))
NEGATIVE = NegativeExampleInfo("e" * 32, "ada", QUALITY, 0.75, 23, "front door")
EXPORTED_NEGATIVE = ExportedNegativeExample(NEGATIVE, np.array([0, 0, 1, 0], np.float32))
CANDIDATE = Candidate("ada", "Ada", 0.5, "a" * 32, 0.125)
RUNNER_UP = Candidate("bo", "Bo", 0.25, "b" * 32, 0.1875)
DECISION = Decision(
    Outcome.KNOWN,
    CANDIDATE,
    0.25,
    0.375,
    7,
    (CANDIDATE,),
    ThresholdSource.OPERATOR,
    look_count=3,
)
TIMINGS = Timings(*(number / 1000 for number in (1, 2, 3, 4, 5, 6, 21)))
RECOGNITION = Recognition((a_face(DECISION),), 640, 480, 7, TIMINGS)


def assert_same(message: Any, value: Any, *, besides: Collection[str] = ()) -> None:
    """Every field of the message is set, to what the value's field of the same name holds."""
    for field in message.DESCRIPTOR.fields:
        if field.name in besides:
            continue
        sent = getattr(message, field.name)
        assert sent == getattr(value, field.name), field.name
        assert sent, f"{field.name}: a test with a default says nothing"


def test_a_gallery() -> None:
    message = convert_gallery.gallery_message(GALLERY, DEFAULTS.decision)
    assert_same(message, GALLERY, besides=["threshold", "threshold_source"])
    assert (message.threshold, message.threshold_source) == (
        0.375,
        face_pb2.THRESHOLD_SOURCE_OPERATOR,
    )


@pytest.mark.parametrize(("people", "templates", "threshold"), [(40, 80, 0.5), (40, 10, 0.25)])
def test_the_threshold_of_a_gallery_is_by_the_people_who_can_be_found(
    people: int, templates: int, threshold: float
) -> None:
    by_rate = replace(DEFAULTS.decision, threshold=None, error_rates=by_size((10, 0.25), (40, 0.5)))
    info = replace(GALLERY, identity_count=people, template_count=templates)
    message = convert_gallery.gallery_message(info, by_rate)
    assert message.threshold == pytest.approx(threshold)
    assert message.threshold_source == face_pb2.THRESHOLD_SOURCE_ERROR_RATE
    enrolled = Enrollment((), 7, info.enrolled_count)
    assert convert_gallery.enrollment_message(enrolled, by_rate).threshold == message.threshold
    header = convert_transfer.export_header_message(info, 512, by_rate).record.header
    assert header.gallery == message


def test_an_identity() -> None:
    assert_same(convert_gallery.identity_message(IDENTITY), IDENTITY)


def test_a_template() -> None:
    message = convert_gallery.template_message(TEMPLATE)
    assert_same(message, TEMPLATE, besides=["quality"])
    assert_same(message.quality, QUALITY, besides=["faults"])
    assert list(message.quality.faults) == [
        face_pb2.QUALITY_FAULT_BLURRED,
        face_pb2.QUALITY_FAULT_UPSIDE_DOWN,
    ]


def test_what_an_import_did() -> None:
    counts = ImportCounts(2, 3, 5, 7, 11, 13)
    message = convert_transfer.import_message(counts, 6)
    assert_same(message, counts, besides=["templates_poor"])
    assert message.templates_poor == 6


def test_a_negative_example() -> None:
    message = convert_gallery.negative_example_message(NEGATIVE)
    assert_same(message, NEGATIVE, besides=["quality"])
    assert_same(message.quality, QUALITY, besides=["faults"])


@pytest.mark.parametrize("record", [IDENTITY, EXPORTED, EXPORTED_NEGATIVE])
def test_a_record_of_an_export_is_imported_as_it_was(record: GalleryRecord) -> None:
    message = convert_transfer.export_message(record).record
    imported = convert_transfer.import_record(message, 4)
    if isinstance(record, IdentityInfo):
        assert imported == record
    else:
        assert isinstance(imported, type(record))
        assert imported.info == record.info
        np.testing.assert_array_equal(imported.embedding, record.embedding)


def test_the_header_of_an_export() -> None:
    header = convert_transfer.export_header_message(GALLERY, 512, DEFAULTS.decision).record.header
    assert header.gallery == convert_gallery.gallery_message(GALLERY, DEFAULTS.decision)
    assert header.dimension == 512


def test_what_became_of_a_picture_that_was_refused_and_shows_a_face() -> None:
    result = EnrollmentResult(
        "", Refusal.TOO_POOR, "too small", QUALITY, (1.0, 3.0, 11.0, 24.0), 0.75
    )
    message = convert_gallery._result_message(result)
    assert (message.template_id, message.detail) == ("", "too small")
    assert message.refusal == face_pb2.ERROR_REASON_TOO_POOR
    assert message.box == face_pb2.Box(x_px=1, y_px=3, width_px=10, height_px=21)
    assert_same(message.quality, QUALITY, besides=["faults"])
    assert list(message.quality.faults) == [
        face_pb2.QUALITY_FAULT_BLURRED,
        face_pb2.QUALITY_FAULT_UPSIDE_DOWN,
    ]


def test_an_enrolled_picture_names_a_similar_identity() -> None:
    result = EnrollmentResult("a" * 32, similar_identity_id="bo", similar_identity_similarity=0.625)
    message = convert_gallery._result_message(result)
    assert (message.template_id, message.similar_identity_id) == ("a" * 32, "bo")
    assert message.similar_identity_similarity == 0.625


def test_a_face_with_its_decision() -> None:
    face = replace(a_face(DECISION), quality=QUALITY, track_id=31, evidence_sequence=9)
    message = convert.face_message(face)
    assert message.box == face_pb2.Box(x_px=10.5, y_px=20.25, width_px=40, height_px=60)
    assert (message.detection_score, message.evidence_sequence) == (0.75, 9)
    assert message.track_id == 31
    assert not message.HasField("presentation_attack_score")
    scored = convert.face_message(replace(face, presentation_attack=0.0))
    assert scored.HasField("presentation_attack_score")
    assert scored.presentation_attack_score == 0.0
    assert_same(message.quality, QUALITY, besides=["faults"])
    assert list(message.quality.faults) == [
        face_pb2.QUALITY_FAULT_BLURRED,
        face_pb2.QUALITY_FAULT_UPSIDE_DOWN,
    ]
    decision = message.decision
    assert_same(
        decision,
        DECISION,
        besides=[
            "outcome",
            "identity_id",
            "display_name",
            "similarity",
            "candidates",
            "ambiguous_between",
            "threshold_source",
            "judgment",
        ],
    )
    assert not decision.HasField("judgment")
    assert decision.outcome == face_pb2.OUTCOME_KNOWN
    assert (decision.identity_id, decision.display_name) == ("ada", "Ada")
    assert decision.similarity == 0.5
    (candidate,) = decision.candidates
    assert_same(candidate, CANDIDATE)
    assert decision.threshold_source == face_pb2.THRESHOLD_SOURCE_OPERATOR
    between = replace(DECISION, outcome=Outcome.AMBIGUOUS, ambiguous_between=(CANDIDATE, RUNNER_UP))
    message = convert.face_message(a_face(between))
    first, second = message.decision.ambiguous_between
    assert_same(first, CANDIDATE)
    assert_same(second, RUNNER_UP)
    assert message.decision.identity_id == ""
    without = replace(DECISION, candidates=(Candidate("ada", "Ada", 0.5, "a" * 32),))
    (candidate,) = convert.face_message(a_face(without)).decision.candidates
    assert not candidate.HasField("negative_example_similarity")


def test_a_judgment() -> None:
    rule = (
        by_size((10, 0.25), (40, 0.5))
        .threshold_among(40, GalleryPairs(0.125, 0.0625, 30, 0.875))
        .rule
    )
    assert rule
    ids = tuple(f"{number:032x}" for number in range(1, 26))
    explained = replace(DECISION, grounds=Grounds(rule, 40, 0.03125, 8.5), template_ids=ids)
    message = convert.decision_message(explained).judgment
    assert message.deciding_rule == face_pb2.DECIDING_RULE_ALONE_ABOVE_THRESHOLD
    rate = rule.likeness.fmr_at(0.5)
    rates = message.false_match_rate, message.false_match_rate_bound, message.is_extrapolated
    assert rates == tuple(rate)
    assert message.false_name_rate == min(1, 40 * rule.likeness.fmr_at(0.375).value)
    assert (message.min_margin, message.min_inter_eye_px) == (0.03125, 8.5)
    assert (list(message.template_ids), message.template_count) == (list(ids[:20]), 25)
    likeness = rule.likeness
    numbers = {
        "identity_count": rule.comparison_count,
        "mean": likeness.mean,
        "spread": likeness.spread,
        "shrinkage": likeness.shrinkage,
        "cohesion": likeness.pairs.cohesion,
        "pair_mean": likeness.pairs.mean,
        "pair_spread": likeness.pairs.spread,
        "paired_identity_count": likeness.pairs.identity_count,
    }
    for field in message.threshold_rule.DESCRIPTOR.fields:
        wanted = numbers.get(field.name, getattr(rule, field.name, None))
        assert getattr(message.threshold_rule, field.name) == pytest.approx(wanted), field.name
    assert (message.passed_over_similarity, message.negative_example_similarity) == (0.0, 0.0)
    passed = replace(explained, passed_over=Candidate("cy", "Cy", 0.5, "c" * 32, 0.625))
    message = convert.decision_message(passed).judgment
    assert (message.passed_over_similarity, message.negative_example_similarity) == (0.5, 0.625)
    for kind in DecidingRule:
        assert face_pb2.DecidingRule.Value(f"DECIDING_RULE_{kind.name}")


def test_no_track_event_has_a_judgment() -> None:
    explained = replace(DECISION, grounds=Grounds(None, 40, 0.03125, 8.5))
    event = convert_tracks.track_event_message(track_event(7, explained))
    assert not event.decision.HasField("judgment")


def test_who_chose_a_threshold_has_the_same_name_on_the_wire() -> None:
    for source in ThresholdSource:
        number = convert.threshold_source_message(source)
        assert face_pb2.ThresholdSource.Name(number) == f"THRESHOLD_SOURCE_{source.name}"


@pytest.mark.parametrize(
    "message",
    [
        convert_recognition.recognition_message(RECOGNITION, "c" * 64),
        convert_recognition.stream_output(Answered(9, 29, RECOGNITION), LIMITS, "c" * 64).frame,
    ],
    ids=["single", "frame"],
)
def test_a_recognition(message: Any) -> None:
    assert (message.width_px, message.height_px) == (640, 480)
    assert message.faces[0].decision.gallery_revision == 7
    assert message.timings == face_pb2.StageTimings(
        queue_us=1000,
        decode_us=2000,
        detect_us=3000,
        align_us=4000,
        embed_us=5000,
        match_us=6000,
        total_us=21_000,
    )
    if isinstance(message, recognition_pb2.FrameResult):
        assert (message.sequence, message.captured_at_us) == (9, 29)
        assert message.status == recognition_pb2.FRAME_STATUS_OK
        assert message.detection_mode == recognition_pb2.DETECTION_MODE_SEARCHED
    else:
        assert (message.gallery_revision, message.model_contract_id) == (7, "c" * 64)


def test_a_comparison() -> None:
    first, second = replace(a_face(), score=0.5), replace(a_face(), score=0.25)
    threshold = PairThreshold(0.375, ThresholdSource.OPERATOR, 0.0625, True, 0.25)
    rate = FalseMatchRate(0.5, 0.75, True)
    comparison = Comparison(CompareOutcome.DIFFERENT, 0.125, threshold, first, second, rate)
    message = convert_recognition.comparison_message(comparison, "c" * 64)
    assert message.outcome == recognition_pb2.COMPARE_OUTCOME_DIFFERENT
    assert (message.similarity, message.threshold) == (0.125, 0.375)
    assert (message.first.detection_score, message.second.detection_score) == (0.5, 0.25)
    assert message.model_contract_id == "c" * 64
    assert (message.false_match_rate, message.false_match_rate_bound) == (0.5, 0.75)
    assert message.threshold_source == face_pb2.THRESHOLD_SOURCE_OPERATOR
    assert (message.threshold_false_match_rate, message.threshold_raise) == (0.0625, 0.25)
    assert message.is_extrapolated
    assert message.are_both_blurred


def test_a_comparison_whose_rates_are_not_known() -> None:
    threshold = PairThreshold(0.42, ThresholdSource.GALLERY_SIZE)
    comparison = Comparison(CompareOutcome.SAME, 0.5, threshold, a_face(), a_face())
    message = convert_recognition.comparison_message(comparison, "")
    rates = (message.false_match_rate, message.false_match_rate_bound, message.is_extrapolated)
    assert (*rates, message.threshold_false_match_rate) == (0.0, 0.0, False, 0.0)
    assert not message.are_both_blurred


def test_a_range_of_skipped_frames() -> None:
    skipped = Skipped(3, 9, 5, SkipReason.OVER_CREDIT)
    message = convert_recognition.stream_output(skipped, LIMITS, "").skipped
    assert_same(message, skipped, besides=["reason"])
    assert message.reason == recognition_pb2.SKIP_REASON_OVER_CREDIT


def test_a_raw_picture() -> None:
    message = face_pb2.Image(
        data=b"x", format=face_pb2.IMAGE_FORMAT_NV12, width_px=6, height_px=4, stride_bytes=8
    )
    picture = convert.picture(message, "image")
    assert picture == Picture(b"x", PictureFormat.NV12, 6, 4, 8)


def test_the_plan_of_a_stream() -> None:
    config = recognition_pb2.StreamConfig(
        camera_id="door",
        gallery_id="doors",
        frame_policy=recognition_pb2.FRAME_POLICY_EVERY_FRAME,
        max_candidates=3,
        rotation_degrees=270,
        detection=face_pb2.DetectionOptions(min_face_px=24, min_score=0.75, max_faces=2),
        decision_policy=face_pb2.DecisionPolicy(
            threshold=0.5, min_margin=0.25, min_inter_eye_px=16.0
        ),
    )
    request = recognition_pb2.StreamRecognizeRequest(config=config)
    plan = convert_recognition.stream_input(request, DEFAULTS)
    assert isinstance(plan, StreamPlan)
    assert (plan.camera_id, plan.gallery_id, plan.newest_wins) == ("door", "doors", False)
    assert plan.rotation_degrees == 270
    fields = ("threshold", "min_margin", "min_inter_eye_px", "max_candidates")
    assert [getattr(plan.decision, field) for field in fields] == [0.5, 0.25, 16.0, 3]
    fields = ("min_face_px", "min_score", "max_faces", "short_side_fraction")
    assert [getattr(plan.detection, field) for field in fields] == [24, 0.75, 2, 1 / 16]


def test_a_frame() -> None:
    image = face_pb2.Image(data=b"x", format=face_pb2.IMAGE_FORMAT_PNG)
    message = recognition_pb2.Frame(sequence=9, captured_at_us=29, image=image)
    request = recognition_pb2.StreamRecognizeRequest(frame=message)
    frame = convert_recognition.stream_input(request, DEFAULTS)
    assert isinstance(frame, Frame)
    assert (frame.sequence, frame.captured_at_us) == (9, 29)
    assert frame.picture == Picture(b"x", PictureFormat.PNG)


def test_a_frame_whose_format_is_not_known_costs_that_frame_and_not_the_stream() -> None:
    message = recognition_pb2.Frame(
        sequence=9, image=face_pb2.Image(data=b"x", format=UNKNOWN_FORMAT)
    )
    request = recognition_pb2.StreamRecognizeRequest(frame=message)
    frame = convert_recognition.stream_input(request, DEFAULTS)
    assert isinstance(frame, Frame)
    assert isinstance(frame.picture, InvalidField)
    assert frame.picture.field == "frame.image.format"
    assert frame.byte_count == 0


def test_each_refusal_has_the_reason_of_the_same_name() -> None:
    for refusal in Refusal:
        message = convert_gallery._result_message(EnrollmentResult("", refusal))
        name = "FIELD_INVALID" if refusal is Refusal.OTHER else refusal.name
        assert face_pb2.ErrorReason.Name(message.refusal) == f"ERROR_REASON_{name}"


def test_who_is_enrolled() -> None:
    request = gallery_pb2.EnrollTemplatesRequest(
        identity_id="ada", display_name="Ada", create_identity=True
    )
    identity = convert_gallery.new_identity(request)
    assert (identity.identity_id, identity.display_name, identity.create) == ("ada", "Ada", True)
