"""The accounting of a stream notices every way in which a frame can get lost."""

import itertools

import pytest

from bench.mixed_frames import MixedFrame, account, mix
from facewire.v1 import face_pb2, recognition_pb2

FRAMES = [
    MixedFrame(2, "good", b"x", "OK", 1),
    MixedFrame(3, "empty", b"", "IMAGE_EMPTY", 0),
    MixedFrame(7, "good", b"x", "OK", 1),
]
GOOD = {"status": recognition_pb2.FRAME_STATUS_OK, "faces": [face_pb2.Face()]}
EMPTY = {
    "status": recognition_pb2.FRAME_STATUS_INVALID,
    "reason": face_pb2.ERROR_REASON_IMAGE_EMPTY,
}


def test_all_answered_in_order_is_without_fault():
    answers = [_result(2, **GOOD), _result(3, **EMPTY), _result(7, **GOOD)]
    assert not account(FRAMES, iter(answers), may_skip=False).faults


def test_a_skipped_range_counts_its_frames():
    answers = [_skipped(2, 3, 2), _result(7, **GOOD)]
    assert not account(FRAMES, iter(answers), may_skip=True).faults
    assert account(FRAMES, iter(answers), may_skip=False).faults


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([(2, GOOD), (3, EMPTY)], id="the last is missing"),
        pytest.param([(2, GOOD), (7, GOOD)], id="one is missing"),
        pytest.param([(3, EMPTY), (2, GOOD), (7, GOOD)], id="out of order"),
        pytest.param([(2, GOOD), (2, GOOD), (3, EMPTY), (7, GOOD)], id="one twice"),
        pytest.param([(2, GOOD), (3, EMPTY), (7, GOOD), (8, GOOD)], id="one too many"),
        pytest.param([(2, EMPTY), (3, EMPTY), (7, GOOD)], id="a good one refused"),
        pytest.param([(2, GOOD), (3, GOOD), (7, GOOD)], id="a bad one taken"),
        pytest.param([(2, GOOD | {"faces": []}), (3, EMPTY), (7, GOOD)], id="a face missed"),
    ],
)
def test_what_is_not_as_it_must_be_is_a_fault(answers):
    results = (_result(sequence, **fields) for sequence, fields in answers)
    assert account(FRAMES, results, may_skip=False).faults


@pytest.mark.parametrize("skipped", [(2, 7, 2), (2, 3, 1), (3, 3, 1), (2, 7, 4)])
def test_a_range_with_other_ends_or_counts_is_a_fault(skipped):
    answers = [_skipped(*skipped), _result(7, **GOOD)]
    assert account(FRAMES, iter(answers), may_skip=True).faults


def test_a_mix_is_the_same_for_the_same_seed_and_spans_the_limit():
    good = [(bytes(range(256)) * 40, 1)]
    frames = mix(good, 200, 1 << 16, seed=5)
    assert frames == mix(good, 200, 1 << 16, seed=5)
    assert frames != mix(good, 200, 1 << 16, seed=6)
    sizes = [len(frame.data) for frame in frames]
    assert min(sizes) == 0
    assert 1 << 16 < max(sizes) < (1 << 16) + (1 << 20)
    assert frames[-1].kind == "good"
    assert len({frame.kind for frame in frames}) == 7
    sequences = [frame.sequence for frame in frames]
    assert all(one < other for one, other in itertools.pairwise(sequences))


def _result(sequence, **fields):
    frame = recognition_pb2.FrameResult(sequence=sequence, **fields)
    return recognition_pb2.StreamRecognizeResponse(frame=frame)


def _skipped(first, last, count):
    skipped = recognition_pb2.FramesSkipped(
        first_sequence=first, last_sequence=last, frame_count=count
    )
    return recognition_pb2.StreamRecognizeResponse(skipped=skipped)
