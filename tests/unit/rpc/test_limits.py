"""What a client sends is accepted up to the number that the contract states, and refused above it."""

from collections.abc import Callable
from typing import Any

import pytest

from facewire.v1 import face_pb2, gallery_pb2, recognition_pb2
from facewire_server.errors import InvalidField, UndecodableImage
from facewire_server.galleries.records import EnrollmentResult
from facewire_server.galleries.refusal import Refusal
from facewire_server.rpc import (
    checks,
    convert,
    convert_gallery,
    convert_recognition,
    convert_transfer,
)
from facewire_server.streams.values import Answered
from fakes.wire import DEFAULTS, LIMITS

MAX_BYTES = 1000


def detection(**fields: Any) -> object:
    return convert.detection_options(face_pb2.DetectionOptions(**fields), DEFAULTS.picture)


def decision(**fields: Any) -> object:
    return convert.decision_policy(face_pb2.DecisionPolicy(**fields), DEFAULTS.decision)


def plan(**fields: Any) -> object:
    config = recognition_pb2.StreamConfig(**fields)
    return convert_recognition.stream_input(
        recognition_pb2.StreamRecognizeRequest(config=config), DEFAULTS
    )


def pictures(*sizes: int) -> object:
    images = [face_pb2.Image(data=b"x" * size) for size in sizes]
    request = gallery_pb2.EnrollTemplatesRequest(images=images)
    return convert_gallery.enrolled_pictures(request, MAX_BYTES)


def dimension(number: int) -> object:
    header = gallery_pb2.ExportHeader(dimension=number)
    return convert_transfer.import_header(gallery_pb2.GalleryRecord(header=header))


@pytest.mark.parametrize(
    ("accept", "most", "above"),
    [
        (lambda number: detection(min_face_px=number), 65_535, 65_536),
        (lambda number: detection(max_faces=number), 1024, 1025),
        (lambda number: detection(min_score=number), 1.0, 1.01),
        (lambda number: decision(threshold=number), 1.0, 1.01),
        (lambda number: decision(min_margin=number), 1.0, 1.01),
        (lambda number: decision(min_inter_eye_px=number), 1000.0, 1001.0),
        (lambda number: plan(max_candidates=number), 20, 21),
        (lambda count: plan(camera_id="x" * count), 128, 129),
        (lambda count: pictures(*[1] * count), 10, 11),
        (lambda size: pictures(MAX_BYTES - 7, size), 7, 8),
        (lambda count: convert_gallery.display_name("x" * count), 256, 257),
        (lambda count: convert_gallery.source("x" * count), 256, 257),
        (lambda count: convert_gallery.request_id("x" * count), 128, 129),
        (dimension, 4096, 4097),
        (checks.checked_page_size, 1000, 1001),
        (lambda count: checks.page_after(checks.page_token("x" * count)), 128, 129),
    ],
)
def test_the_most_is_accepted_and_more_is_refused(
    accept: Callable[[float], object], most: float, above: float
) -> None:
    accept(most)
    with pytest.raises(InvalidField):
        accept(above)


@pytest.mark.parametrize(
    ("accept", "least", "below"),
    [
        (lambda number: detection(min_face_px=number), 8, 7),
        (lambda number: detection(min_score=number), 0.7, 0.69),
        (lambda number: decision(threshold=number), 0.001, 0.0),
        (lambda number: decision(min_margin=number), 0.0, -0.01),
        (lambda number: decision(min_inter_eye_px=number), 0.0, -0.01),
        (lambda count: pictures(*[1] * count), 1, 0),
        (dimension, 1, 0),
    ],
)
def test_the_least_is_accepted_and_less_is_refused(
    accept: Callable[[float], object], least: float, below: float
) -> None:
    accept(least)
    with pytest.raises(InvalidField):
        accept(below)


def test_a_resume_token_is_bounded_before_anything_is_said_about_it() -> None:
    plan(resume_token=b"x" * 64)
    with pytest.raises(InvalidField) as caught:
        plan(resume_token=b"x" * 65)
    assert caught.value.field == "config.resume_token"


@pytest.mark.parametrize("field", ["frame_policy", "detail"])
def test_a_word_that_this_server_does_not_know_is_refused(field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        plan(**{field: 99})
    assert caught.value.field == f"config.{field}"


def test_the_text_of_a_refusal_has_at_most_256_bytes() -> None:
    """A text can quote what it was given, and a stream carries one with each frame."""
    long = "é" * 300
    frame = Answered(1, 2, UndecodableImage(long))
    details = [
        convert_recognition.stream_output(frame, LIMITS, "").frame.detail,
        convert_gallery._result_message(EnrollmentResult("", Refusal.NO_FACE, long)).detail,
    ]
    assert details == ["é" * 128] * 2
