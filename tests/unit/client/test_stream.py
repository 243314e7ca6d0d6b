"""A stream keeps its credit, loses nothing, and ends in every way it can end."""

import gc
import random
import threading

import grpc
import numpy as np
import pytest

import facewire
from facewire import ErrorReason, FrameStatus
from facewire._wire.ledger import Ledger
from facewire._wire.responses import Responses
from facewire.v1 import recognition_pb2
from fakes.pulled import copies
from fakes.server import failure


@pytest.fixture
def picture(astronaut):
    return facewire.Image.from_array(astronaut[:64, :64])


def until(condition, predicate):
    with condition:
        assert condition.wait_for(predicate, timeout=10)


def test_no_more_frames_are_in_flight_than_the_server_allows(fake, client, picture):
    fake.max_in_flight = 3
    fake.hold.clear()
    pulled: list[int] = []
    stream = client.stream(copies(picture, 10, pulled)).open()
    assert stream.limits.max_in_flight == 3
    until(fake.held_changed, lambda: fake.held == 3)
    assert pulled == [0, 1, 2]
    fake.hold.set()
    assert [result.sequence for result in stream] == list(range(1, 11))


def test_a_stream_opens_with_its_first_use_and_not_before(fake, client, picture):
    stream = client.stream([picture])
    with pytest.raises(ValueError, match="not open yet"):
        _ = stream.limits
    client.gallery()  # the server has had the time
    assert fake.calls["StreamRecognize"] == 0
    assert next(stream).sequence == 1
    assert stream.limits.max_in_flight == 4
    assert fake.calls["StreamRecognize"] == 1


def test_a_stream_that_was_closed_before_its_first_use_never_opens(fake, client, picture):
    stream = client.stream([picture])
    stream.close()
    assert list(stream) == []
    with pytest.raises(ValueError, match="closed"):
        stream.open()
    assert fake.calls["StreamRecognize"] == 0


def test_a_credit_of_one_is_enough(fake, client, picture):
    fake.max_in_flight = 1
    assert len(list(client.stream([picture] * 5))) == 5


def test_an_endless_source_is_pulled_lazily_and_left_by_break(fake, client, picture):
    def endless():
        while True:
            yield picture

    for result in client.stream(endless()):
        if result.sequence == 5:
            break
    gc.collect()
    assert fake.stream_ended.wait(10)


def test_an_empty_source_ends_the_stream_at_once(client):
    assert list(client.stream([])) == []


def test_an_error_of_the_source_is_raised_after_the_answers_to_the_frames_before(client, picture):
    def frames():
        yield picture
        yield picture
        raise KeyError("camera")

    stream = client.stream(frames())
    assert [next(stream).sequence for _ in range(2)] == [1, 2]
    with pytest.raises(KeyError, match="camera"):
        next(stream)
    assert list(stream) == []


def test_a_frame_that_cannot_be_used_is_answered_and_the_stream_goes_on(fake, client, picture):
    fake.max_frame_bytes = 100_000
    results = list(client.stream([b"text", picture, bytes(20 * 2**20), b"", picture]))
    assert [result.status for result in results] == [
        FrameStatus.INVALID, FrameStatus.OK, FrameStatus.INVALID, FrameStatus.INVALID,
        FrameStatus.OK,
    ]  # fmt: skip
    assert [result.reason for result in results] == [
        ErrorReason.IMAGE_UNDECODABLE, None, ErrorReason.IMAGE_TOO_MANY_BYTES,
        ErrorReason.IMAGE_EMPTY, None,
    ]  # fmt: skip


def test_a_server_that_leaves_asks_for_a_new_stream(fake, client, picture):
    fake.reconnect_after = 2
    stream = client.stream([picture] * 5)
    assert [next(stream).sequence for _ in range(2)] == [1, 2]
    with pytest.raises(facewire.ReconnectError) as caught:
        next(stream)
    assert caught.value.after_s == 1.5
    assert caught.value.reason is ErrorReason.SHUTTING_DOWN


def test_a_server_that_leaves_when_all_is_done_ends_the_stream_without_an_error():
    responses, ledger = Responses("host:1", []), Ledger(resends=False)
    reconnect = recognition_pb2.Reconnect(after_ms=1500)
    assert responses.read(recognition_pb2.StreamRecognizeResponse(reconnect=reconnect)) is None
    with pytest.raises(facewire.ReconnectError):
        responses.check_end(ledger)
    ledger.exhausted = True
    responses.check_end(ledger)


def test_a_stream_that_ends_early_is_never_taken_for_complete(fake, client, picture):
    fake.end_after = 2
    stream = client.stream([picture] * 5)
    assert len([next(stream), next(stream)]) == 2
    with pytest.raises(facewire.UnavailableError, match="unanswered"):
        next(stream)


def test_a_lost_server_is_an_error(fake, client, picture):
    fake.hold.clear()
    stream = client.stream([picture] * 5).open()
    until(fake.held_changed, lambda: fake.held > 0)
    fake.__exit__()
    with pytest.raises(facewire.FacewireError):
        list(stream)


@pytest.mark.parametrize("code", ["INTERNAL", "UNKNOWN", "CANCELLED", "UNAVAILABLE"])
def test_a_stream_that_a_proxy_breaks_is_unreachable_and_not_a_fault(fake, client, picture, code):
    fake.end_after, fake.end_status = 2, failure(grpc.StatusCode[code], detail="Stream removed")
    stream = client.stream([picture] * 5)
    assert len([next(stream), next(stream)]) == 2
    with pytest.raises(facewire.UnreachableError, match="Stream removed"):
        next(stream)


def test_a_fault_of_the_server_in_a_stream_is_none_of_the_connection(fake, client, picture):
    fake.end_after = 1
    fake.end_status = failure(grpc.StatusCode.INTERNAL, "INTERNAL")
    stream = client.stream([picture] * 5)
    next(stream)
    with pytest.raises(facewire.ServerError):
        next(stream)


def test_closing_from_another_thread_ends_the_iteration(fake, client, picture):
    fake.hold.clear()
    stream = client.stream([picture] * 5).open()
    until(fake.held_changed, lambda: fake.held > 0)
    closer = threading.Thread(target=stream.close)
    closer.start()
    assert list(stream) == []
    closer.join()


def test_the_end_of_the_client_is_the_end_of_its_streams(fake, connect, picture):
    with connect(fake.address) as client:
        fake.hold.clear()
        streams = [client.stream([picture] * 5).open()]
    assert fake.stream_ended.wait(10)
    assert streams  # was not dropped before


def test_a_server_that_does_not_answer_the_opening_is_given_up(fake, connect, picture):
    fake.silent = {"StreamRecognize"}
    client = connect(fake.address, timeout_s=0.2)
    with client, pytest.raises(facewire.DeadlineError, match=r"0\.2 s"):
        client.stream([picture]).open()


def test_a_client_that_is_closed_while_a_stream_opens_leaves_none_open(
    fake, connect, picture, threads
):
    fake.silent = {"StreamRecognize"}
    pulled: list[int] = []
    with connect(fake.address) as client:
        stream = client.stream(copies(picture, 3, pulled))
        opening = threads.submit(stream.open)
        assert fake.asked.wait(10)
        client.close()
        with pytest.raises(ValueError, match="closed"):
            opening.result(10)
        fake.opening.set()
    assert fake.stream_ended.wait(10)
    assert pulled == []


def test_a_client_that_is_closed_between_two_attempts_opens_no_stream(
    fake, connect, picture, monkeypatch, threads
):
    away = failure(grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")
    fake.fail_next("StreamRecognize", away, times=9)
    monkeypatch.setattr(random, "uniform", lambda *_: 100.0)
    with connect(fake.address) as client:
        opening = threads.submit(client.stream([picture]).open)
        assert fake.stream_ended.wait(10)
        client.close()
        with pytest.raises(ValueError, match="closed"):
            opening.result(10)


def test_a_closed_client_makes_no_call_and_opens_no_stream(client, picture):
    client.close()
    with pytest.raises(ValueError, match="closed"):
        client.stream([picture])
    with pytest.raises(ValueError, match="closed"):
        client.gallery()


def test_a_call_that_waits_while_its_client_is_closed_says_so(fake, connect, threads):
    fake.silent = {"GetGallery"}
    with connect(fake.address) as client:
        waiting = threads.submit(client.gallery)
        assert fake.asked.wait(10)
        client.close()
        with pytest.raises(ValueError, match="closed"):
            waiting.result(10)
        fake.opening.set()


@pytest.mark.parametrize("one", ["door.mp4", b"jpeg", np.zeros((4, 4, 3), np.uint8)])
def test_one_picture_is_no_frames(client, one):
    with pytest.raises(TypeError, match=r"Camera\(path\)"):
        client.stream(one)


def test_the_reason_of_a_failed_stream_is_told(fake, client, picture):
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
    fake.fail_next("StreamRecognize", full)
    with pytest.raises(facewire.LimitError) as caught:
        client.stream([picture]).open()
    assert caught.value.reason is ErrorReason.TOO_MANY_STREAMS
