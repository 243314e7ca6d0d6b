"""The SDK's own types follow the contract, field by field."""

import dataclasses
from typing import Any

import pytest

import facewire
from facewire import TrackReason, TrackState
from facewire._values import enums
from facewire._wire.read_faces import read_face
from facewire._wire.read_galleries import read_gallery, read_identity, read_import_result
from facewire._wire.read_results import read_stage_timings, read_stream_limits
from facewire._wire.read_server_info import read_server_info
from facewire._wire.read_tracks import read_track_crop, read_track_event
from facewire.v1 import face_pb2, gallery_pb2, recognition_pb2

TIMES_OF_DAY = {
    f"{name}_us": name for name in ("created_at", "server_time", "first_seen", "last_seen")
}
"""Microseconds in the contract, and a `datetime` in a value."""

FILES = (face_pb2, gallery_pb2, recognition_pb2)


@pytest.mark.parametrize("name", [n for n in enums.__all__ if n != "WireEnum"])
def test_an_enum_has_the_contracts_names_in_the_contracts_order(name):
    ours = getattr(enums, name)
    (theirs,) = (f.DESCRIPTOR.enum_types_by_name[name] for f in FILES if hasattr(f, name))
    assert [member.wire_name for member in ours] == [value.name for value in theirs.values]
    assert [value.number for value in theirs.values] == list(range(len(ours)))
    for value in theirs.values:
        assert ours.from_wire(value.number).wire_name == value.name


@pytest.mark.parametrize("number", [-1, 6, 1000])
def test_a_number_of_a_newer_contract_is_unspecified(number):
    assert facewire.Outcome.from_wire(number) is facewire.Outcome.UNSPECIFIED


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (facewire.Box, face_pb2.Box),
        (facewire.Candidate, face_pb2.Candidate),
        (facewire.Comparison, recognition_pb2.CompareResponse),
        (facewire.Decision, face_pb2.Decision),
        (facewire.DecisionPolicy, face_pb2.DecisionPolicy),
        (facewire.DetectionOptions, face_pb2.DetectionOptions),
        (facewire.EnrolledPicture, gallery_pb2.EnrollmentResult),
        (facewire.Face, face_pb2.Face),
        (facewire.FrameResult, recognition_pb2.FrameResult),
        (facewire.FramesSkipped, recognition_pb2.FramesSkipped),
        (facewire.Gallery, gallery_pb2.Gallery),
        (facewire.Identity, gallery_pb2.Identity),
        (facewire.Image, face_pb2.Image),
        (facewire.Landmarks, face_pb2.Landmarks),
        (facewire.Point, face_pb2.Point),
        (facewire.Quality, face_pb2.Quality),
        (facewire.Recognition, recognition_pb2.RecognizeResponse),
        (facewire.ServerInfo, recognition_pb2.GetServerInfoResponse),
        (facewire.ServerLimits, recognition_pb2.ServerLimits),
        (facewire.StageTimings, face_pb2.StageTimings),
        (facewire.StreamLimits, recognition_pb2.StreamStarted),
        (facewire.Template, gallery_pb2.Template),
        (facewire.ThresholdStep, recognition_pb2.ThresholdStep),
        (facewire.TrackCrop, recognition_pb2.GetTrackCropResponse),
        (facewire.TrackEvent, recognition_pb2.TrackEvent),
    ],
)
def test_a_value_has_every_field_of_its_message(ours, theirs):
    mine = {field.name for field in dataclasses.fields(ours)}
    contract = {field.name for field in theirs.DESCRIPTOR.fields}
    assert mine == {TIMES_OF_DAY.get(name, name) for name in contract}


def test_a_value_takes_each_field_from_the_field_of_its_name():
    timings = face_pb2.StageTimings()
    names = [field.name for field in timings.DESCRIPTOR.fields]
    for number, name in enumerate(names, start=1):
        setattr(timings, name, number)
    ours = read_stage_timings(timings)
    assert [getattr(ours, name) for name in names] == list(range(1, len(names) + 1))


def test_the_limits_of_a_server_are_taken_each_from_the_field_of_its_name():
    message = recognition_pb2.GetServerInfoResponse()
    names = [field.name for field in message.limits.DESCRIPTOR.fields]
    for number, name in enumerate(names, start=1):
        setattr(message.limits, name, number)
    limits = read_server_info(message).limits
    assert [getattr(limits, name) for name in names] == list(range(1, len(names) + 1))


def test_the_limits_of_a_stream_are_taken_each_from_the_field_of_its_name():
    message = recognition_pb2.StreamStarted(
        resume_token=b"t", resume_after_sequence=2, max_in_flight=3, max_frame_bytes=4, max_pixels=5,
        model_contract_id="m", resume_within_ms=7,
    )  # fmt: skip
    assert read_stream_limits(message) == facewire.StreamLimits(3, 4, 5, "m", b"t", 2, 7)


def test_a_resume_token_is_shown_by_no_repr():
    assert "secret" not in repr(facewire.StreamLimits(1, 1, 1, "", resume_token=b"secret"))


def test_an_event_is_taken_each_from_the_field_of_its_name():
    message = recognition_pb2.TrackEvent(
        event_id=1, camera_id="door", track_id=3, state="TRACK_STATE_RETRACTED",
        previous_identity_id="bo", reason="TRACK_REASON_SWAPPED", first_sequence=8, last_sequence=9,
        server_time_us=1_700_000_000_000_010, gallery_id="staff", visit_id=12,
        first_seen_us=1_700_000_000_000_013, last_seen_us=1_700_000_000_000_014, has_crop=True,
    )  # fmt: skip
    message.decision.outcome = face_pb2.OUTCOME_KNOWN
    message.decision.identity_id = "ada"
    message.decision.display_name = "Ada"
    event = read_track_event(message)
    assert (event.event_id, event.camera_id, event.track_id, event.visit_id) == (1, "door", 3, 12)
    assert (event.state, event.reason) == (TrackState.RETRACTED, TrackReason.SWAPPED)
    assert (event.first_sequence, event.last_sequence, event.gallery_id) == (8, 9, "staff")
    assert (event.previous_identity_id, event.has_crop, event.name) == ("bo", True, "Ada")
    assert event.presentation_attack_score is None
    message.presentation_attack_score = 0.0
    assert read_track_event(message).presentation_attack_score == 0.0
    times = event.server_time, event.first_seen, event.last_seen
    assert [each.microsecond for each in times] == [10, 13, 14]
    message.decision.outcome = face_pb2.OUTCOME_UNKNOWN
    assert (read_track_event(message).name, read_track_event(message).label) == (None, "unknown")


def test_the_picture_of_a_track_can_be_enrolled():
    message = recognition_pb2.GetTrackCropResponse(
        image=face_pb2.Image(data=b"jpeg", format=face_pb2.IMAGE_FORMAT_JPEG),
        sequence=5,
        quality=face_pb2.Quality(sharpness=7),
    )
    crop = read_track_crop(message)
    assert crop.image == facewire.Image(b"jpeg", facewire.ImageFormat.JPEG)
    assert (crop.sequence, crop.quality.sharpness) == (5, 7)


UNKNOWN: Any = 999
"""A number that is no feature yet; `Any`, since the stubs accept names and members only."""


def test_a_feature_is_there_or_not_or_newer_than_the_server():
    message = recognition_pb2.GetServerInfoResponse(
        features=["FEATURE_TRACKS", UNKNOWN], absent_features=["FEATURE_RESUME"]
    )
    info = read_server_info(message)
    asked = facewire.Feature.TRACKS, facewire.Feature.RESUME, facewire.Feature.EVENTS_ONLY
    assert [info.has(feature) for feature in asked] == [True, False, None]
    assert info.features == (facewire.Feature.TRACKS,)


def test_a_face_has_a_name_only_when_it_is_known():
    face = face_pb2.Face()
    assert read_face(face).decision.outcome is facewire.Outcome.UNSPECIFIED
    assert read_face(face).name is None
    face.decision.outcome = face_pb2.OUTCOME_AMBIGUOUS
    assert read_face(face).name is None
    face.decision.outcome = face_pb2.OUTCOME_KNOWN
    face.decision.display_name = "Ada"
    assert read_face(face).name == "Ada"


def test_a_person_who_was_passed_over_is_taken_each_from_the_field_of_its_name():
    face = face_pb2.Face()
    face.decision.candidates.add(identity_id="ada", similarity=0.5, negative_example_similarity=0.0)
    face.decision.candidates.add(identity_id="bo", similarity=0.25)
    face.decision.judgment.deciding_rule = face_pb2.DECIDING_RULE_NEARER_TO_NEGATIVE_EXAMPLE
    decision = read_face(face).decision
    assert [each.negative_example_similarity for each in decision.candidates] == [0.0, None]
    assert decision.judgment is not None
    assert decision.judgment.deciding_rule is facewire.DecidingRule.NEARER_TO_NEGATIVE_EXAMPLE
    assert decision.judgment.passed_over_similarity is None
    face.decision.judgment.passed_over_similarity = 0.5
    face.decision.judgment.negative_example_similarity = 0.75
    judgment = read_face(face).decision.judgment
    assert judgment is not None
    assert (judgment.passed_over_similarity, judgment.negative_example_similarity) == (0.5, 0.75)


def test_negative_examples_are_counted():
    assert read_identity(gallery_pb2.Identity(negative_example_count=3)).negative_example_count == 3
    assert read_gallery(gallery_pb2.Gallery(negative_example_count=4)).negative_example_count == 4
    answer = gallery_pb2.ImportGalleryResponse(
        negative_examples_added=5, negative_examples_skipped=6
    )
    result = read_import_result(answer)
    assert (result.negative_examples_added, result.negative_examples_skipped) == (5, 6)


def test_times_keep_their_microseconds():
    message = gallery_pb2.Identity(created_at_us=1_700_000_000_123_457)
    assert read_identity(message).created_at.isoformat() == ("2023-11-14T22:13:20.123457+00:00")
