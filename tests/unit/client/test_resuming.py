"""A stream that broke off is resumed: numbers and tracks go on, and every frame is accounted for once."""

import itertools
import threading

import grpc
import pytest

import facewire
from facewire import ErrorReason, FramePolicy, FrameResult, FramesSkipped, SkipReason, TrackEvent
from facewire._wire import backoff
from facewire.v1 import recognition_pb2
from fakes.server import TRACKED, FakeServer, failure

BROKEN = failure(grpc.StatusCode.INTERNAL, detail="Received RST_STREAM with error code 2")
TAKEN = failure(grpc.StatusCode.ABORTED, "STREAM_TAKEN_OVER")
EVERY, NEWEST = FramePolicy.EVERY_FRAME, FramePolicy.NEWEST_WINS


@pytest.fixture
def picture(astronaut):
    return facewire.Image.from_array(astronaut[:64, :64])


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)


@pytest.fixture
def fake():
    with FakeServer(features=TRACKED) as server:
        yield server


def accounted(results):
    """The frames of results in order, and those whose results were lost."""
    numbers: list[int] = []
    lost: list[int] = []
    for result in results:
        if isinstance(result, FramesSkipped):
            assert result.reason is SkipReason.CONNECTION_LOST
            lost += range(result.first_sequence, result.last_sequence + 1)
            numbers += range(result.first_sequence, result.last_sequence + 1)
        elif isinstance(result, FrameResult):
            numbers.append(result.sequence)
    return numbers, lost


def events_of(results):
    return [result for result in results if isinstance(result, TrackEvent)]


def test_events_come_right_before_the_result_of_the_frame_that_caused_them(fake, client, picture):
    client.enroll("ada", picture, display_name="Ada")
    results = list(client.stream([picture] * 2, camera="door"))
    kinds = [type(result) for result in results]
    assert kinds == [TrackEvent, TrackEvent, FrameResult, FrameResult, TrackEvent]
    came, named, first, second, left = results
    assert [each.state.value for each in (came, named, left)] == ["TENTATIVE", "CONFIRMED", "ENDED"]
    assert (came.name, named.name, left.name) == (None, "Ada", "Ada")
    assert named.camera_id == "door"
    (face,) = second.faces
    assert face.track_id == named.track_id == first.faces[0].track_id
    assert sum(result.frame_count for result in results) == 2


@pytest.mark.parametrize("policy", [EVERY, NEWEST])
def test_a_stream_that_breaks_is_resumed_with_its_token_and_stays_one_track(
    fake, client, picture, policy
):
    fake.end_after, fake.end_status = 3, BROKEN
    results = list(client.stream([picture] * 20, policy=policy, reopen=True))
    numbers, lost = accounted(results)
    assert numbers == list(range(1, 21))
    assert not lost or policy is NEWEST
    tokens = [config.resume_token for config in fake.configs]
    assert tokens[0] == b""
    assert set(tokens[1:]) == {b"token 1"}
    assert len(tokens) >= 3
    assert len({event.track_id for event in events_of(results)}) == 1
    assert [event.state.value for event in events_of(results)].count("TENTATIVE") == 1


def test_frames_that_were_accounted_for_are_not_sent_again_and_reported_once(fake, client, picture):
    fake.end_after, fake.end_status, fake.unsent_count = 3, BROKEN, 2
    results = list(client.stream([picture] * 12, policy=EVERY, reopen=True))
    numbers, lost = accounted(results)
    assert numbers == list(range(1, 13))
    # Of each call the results of two frames were lost with the connection, if it had as many.
    assert lost[:2] == [4, 5]
    assert fake.configs[1].resume_token == b"token 1"


def states(results):
    return [event.state.value for event in events_of(results)]


def test_a_film_that_breaks_after_its_last_result_has_the_events_of_its_end(fake, client, picture):
    fake.end_after, fake.end_status = 6, BROKEN
    results = list(client.stream([picture] * 6, policy=EVERY, reopen=True))
    assert accounted(results) == ([1, 2, 3, 4, 5, 6], [])
    assert [config.resume_token for config in fake.configs] == [b"", b"token 1"]
    assert states(results)[-1] == "ENDED"
    assert states(results).count("ENDED") == 1


def test_a_film_whose_server_is_gone_after_its_last_result_ends(connect, picture):
    with FakeServer(features=TRACKED) as gone:
        gone.end_after, gone.end_status = 6, BROKEN
        client = connect(gone.address)
        stream = client.stream([picture] * 6, policy=EVERY, reopen=True)
        seen = [next(stream)]
        while not isinstance(seen[-1], FrameResult) or seen[-1].sequence < 6:
            seen.append(next(stream))
    with client:
        assert list(stream) == []


def test_a_server_that_has_forgotten_the_token_gets_all_frames_again(fake, client, picture):
    fake.end_after, fake.end_status, fake.unsent_count = 3, BROKEN, 2
    noted = []

    def note(error, pause_s):
        noted.append(error)
        fake.journal.forget()
        fake.end_after = None

    results = list(client.stream([picture] * 12, policy=EVERY, reopen=True, on_reopen=note))
    assert accounted(results) == (list(range(1, 13)), [])
    assert [config.resume_token for config in fake.configs] == [b"", b"token 1"]
    assert len(noted) == 1


def test_a_server_that_does_not_resume_gets_no_token_and_all_frames(fake, client, picture):
    fake.end_after, fake.end_status = 3, BROKEN

    def note(*_):
        fake.features = set()  # an older server has taken its place
        fake.end_after = None

    results = list(client.stream([picture] * 12, policy=EVERY, reopen=True, on_reopen=note))
    assert accounted(results) == (list(range(1, 13)), [])
    assert [config.resume_token for config in fake.configs] == [b"", b"token 1", b""]


def test_without_the_feature_there_is_no_token_and_no_event(fake, client, picture):
    fake.features = set()
    with client.stream([picture] * 3) as stream:
        assert (stream.limits.resume_token, stream.limits.resume_within_ms) == (b"", 0)
        results = list(stream)
    assert [type(result) for result in results] == [FrameResult] * 3
    assert {face.track_id for result in results for face in result.faces} == {0}


def test_a_stream_that_another_one_took_over_is_not_opened_again(fake, client, picture):
    fake.end_after, fake.end_status = 2, TAKEN
    stream = client.stream([picture] * 9, reopen=True)
    with pytest.raises(facewire.ServerError) as caught:
        list(stream)
    assert caught.value.reason is ErrorReason.STREAM_TAKEN_OVER
    assert not caught.value.retryable
    assert fake.calls["StreamRecognize"] == 1


def test_a_server_that_is_killed_and_comes_back_goes_on_with_the_track(connect, picture):
    back = threading.Event()

    def frames():
        yield from itertools.repeat(picture, 6)
        assert back.wait(20)
        yield from itertools.repeat(picture, 6)

    with FakeServer(features=TRACKED) as first:
        port, journal = int(first.address.rpartition(":")[2]), first.journal
        client = connect(first.address)
        stream = client.stream(frames(), policy=EVERY, reopen=True)
        seen = [next(stream) for _ in range(4)]
    with client, FakeServer(port=port, features=TRACKED, journal=journal) as second:
        back.set()
        results = [*seen, *stream]
        assert second.configs[0].resume_token == b"token 1"
    numbers, lost = accounted(results)
    assert numbers == list(range(1, 13))
    assert len({event.track_id for event in journal.events}) == 1
    assert [event.state for event in journal.events] == [
        recognition_pb2.TRACK_STATE_TENTATIVE,
        recognition_pb2.TRACK_STATE_CONFIRMED,
        recognition_pb2.TRACK_STATE_ENDED,
    ]
    assert len(lost) <= 4
