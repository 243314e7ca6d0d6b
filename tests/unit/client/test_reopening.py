"""A stream that is to go on does, over every end that passes, and accounts for every frame once."""

import random
import threading
from collections import Counter

import grpc
import pytest

import facewire
from facewire import ErrorReason, FramePolicy, SkipReason
from facewire._wire import backoff, reopening
from facewire.v1 import recognition_pb2
from fakes.pulled import copies
from fakes.server import FakeServer, failure

FULL = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", retry_after_s=0.01)
BROKEN = failure(grpc.StatusCode.INTERNAL, detail="Received RST_STREAM with error code 2")
EVERY = FramePolicy.EVERY_FRAME


@pytest.fixture
def picture(astronaut):
    return facewire.Image.from_array(astronaut[:64, :64])


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)


def accounted(results):
    """The frames of results, in order, and how many were lost."""
    numbers: list[int] = []
    lost = 0
    for result in results:
        if isinstance(result, facewire.FramesSkipped):
            numbers += range(result.first_sequence, result.last_sequence + 1)
            lost += result.frame_count * (result.reason is SkipReason.CONNECTION_LOST)
        else:
            numbers.append(result.sequence)
    return numbers, lost


def ended(fake, ending):
    """Lets every stream of the server end by itself after three frames."""
    if ending == "reconnect":
        fake.reconnect_after, fake.reconnect_after_ms = 3, 10
    else:
        fake.end_after = 3
        fake.end_status = None if ending == "unanswered" else BROKEN


@pytest.mark.parametrize("ending", ["reconnect", "unanswered", "broken"])
def test_a_live_stream_goes_on_and_accounts_for_every_frame_once(fake, client, picture, ending):
    ended(fake, ending)
    noted: list[tuple[facewire.FacewireError, float]] = []
    stream = client.stream(
        [picture] * 20, reopen=True, on_reopen=lambda *arguments: noted.append(arguments)
    )
    numbers, lost = accounted(stream)
    assert numbers == list(range(1, 21))
    assert lost > 0
    # After a last break there may be nothing left to open a stream for.
    assert stream.reopen_count == fake.calls["StreamRecognize"] - 1 <= len(noted)
    assert stream.reopen_count > 1
    assert all(error.retryable and 0 < pause_s <= 0.1 for error, pause_s in noted)


@pytest.mark.parametrize("ending", ["reconnect", "unanswered", "broken"])
def test_every_frame_of_a_film_gets_its_result_over_all_breaks(fake, client, picture, ending):
    ended(fake, ending)
    results = list(client.stream([picture] * 20, policy=EVERY, reopen=True))
    assert [result.sequence for result in results] == list(range(1, 21))
    assert all(isinstance(result, facewire.FrameResult) for result in results)
    assert fake.calls["StreamRecognize"] >= 6


@pytest.mark.parametrize("policy", [FramePolicy.NEWEST_WINS, EVERY])
def test_a_server_that_is_killed_and_comes_back_is_found_again(connect, picture, policy):
    frames_wanted = threading.Event()

    def frames():
        for _ in range(6):
            yield picture
        assert frames_wanted.wait(20)
        for _ in range(6):
            yield picture

    with FakeServer() as first:
        port = int(first.address.rpartition(":")[2])
        client = connect(first.address)
        stream = client.stream(frames(), policy=policy, reopen=True)
        seen = [next(stream) for _ in range(4)]
    with client, FakeServer(port=port):
        frames_wanted.set()
        numbers, lost = accounted([*seen, *stream])
    assert numbers == list(range(1, 13))
    assert stream.reopen_count >= 1
    assert lost == 0 or policy is not EVERY


def test_a_source_that_says_it_is_live_is_followed_without_being_asked(fake, client, picture):
    class Camera:
        live = True

        def __iter__(self):
            return iter([picture] * 10)

    ended(fake, "reconnect")
    assert accounted(client.stream(Camera()))[0] == list(range(1, 11))
    with pytest.raises(facewire.ReconnectError):
        list(client.stream(Camera(), reopen=False))
    with pytest.raises(facewire.ReconnectError):
        list(client.stream([picture] * 10))


def test_a_full_server_is_waited_for_from_the_start(fake, client, picture):
    fake.fail_next("StreamRecognize", FULL, times=3)
    pulled: list[int] = []
    stream = client.stream(copies(picture, 2, pulled), reopen=True).open()
    assert stream.reopen_count == 0  # it had not been open
    assert accounted(stream)[0] == [1, 2]
    assert fake.calls["StreamRecognize"] == 4


def test_an_address_without_a_server_is_reported_at_once(connect, picture):
    with connect("127.0.0.1:1") as client, pytest.raises(facewire.UnreachableError):
        client.stream([picture], reopen=True).open()


def test_what_does_not_pass_ends_the_stream(fake, client, picture):
    client.create_gallery("cellar")
    fake.end_after, fake.end_status = 2, BROKEN
    stream = client.stream([picture] * 9, gallery="cellar", reopen=True)
    next(stream)
    client.delete_gallery("cellar")
    with pytest.raises(facewire.NotFoundError):
        list(stream)
    assert list(stream) == []


def test_an_error_of_the_frames_is_raised_and_not_mistaken_for_the_streams(fake, client, picture):
    def frames():
        yield picture
        raise facewire.UnavailableError("the camera's own client")

    stream = client.stream(frames(), reopen=True)
    assert next(stream).sequence == 1
    with pytest.raises(facewire.UnavailableError, match="camera's own"):
        next(stream)
    assert fake.calls["StreamRecognize"] == 1


def test_closing_in_a_pause_ends_the_iteration(fake, client, picture, monkeypatch, threads):
    monkeypatch.setattr(backoff, "_FIRST_S", 1000.0)
    fake.end_after = 1
    paused = threading.Event()
    stream = client.stream([picture] * 5, reopen=True, on_reopen=lambda *_: paused.set())
    reading = threads.submit(list, stream)
    assert paused.wait(20)
    stream.close()
    assert accounted(reading.result(20))[0][0] == 1
    assert fake.calls["StreamRecognize"] == 1


def test_a_stream_that_ended_for_want_of_frames_is_opened_with_the_next_one(
    fake, client, picture, threads
):
    fake.reconnect_after, fake.reconnect_after_ms = 1, 1
    fake.reconnect_reason = recognition_pb2.RECONNECT_REASON_IDLE
    moved = threading.Event()

    def frames():
        yield picture
        assert moved.wait(20)
        yield picture

    noted: list[ErrorReason] = []
    waiting = threading.Event()

    def note(error, _):
        noted.append(error.reason)
        waiting.set()

    stream = client.stream(frames(), reopen=True, on_reopen=note)
    assert next(stream).sequence == 1
    following = threads.submit(next, stream)
    assert waiting.wait(20)
    for _ in range(20):  # the pause of 1 ms is over long before
        client.gallery()
    assert fake.calls["StreamRecognize"] == 1
    moved.set()
    assert following.result(20).sequence == 2
    assert fake.calls["StreamRecognize"] == 2
    assert noted[0] is ErrorReason.TOO_MANY_STREAMS


def test_pauses_double_until_a_result_comes(monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST_S", 1.0)
    monkeypatch.setattr(random, "uniform", lambda _, most: most)
    pauses = reopening.Reopening(is_wanted=True, note=None)
    lost = facewire.UnreachableError("lost")
    assert [pauses.pause_s(lost) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    pauses.progressed()
    assert pauses.pause_s(lost) == 1
    assert pauses.pause_s(facewire.UnavailableError("full", retry_after_s=5)) == 5 + 2
    assert pauses.pause_s(facewire.ReconnectError("bye", after_s=0.7)) == 0.7
    assert pauses.pause_s(facewire.ReconnectError("bye", after_s=0.0)) > 0, (
        "else a loop without end"
    )


def test_a_stream_that_moves_to_another_worker_is_opened_at_once_but_not_again_and_again():
    pauses = reopening.Reopening(is_wanted=True, note=None)
    moved = facewire.ReconnectError("moved", reason=facewire.ErrorReason.WORKER_BUSY, after_s=0.0)
    assert pauses.pause_s(moved) == 0
    assert pauses.pause_s(moved) > 0, "else a loop without end"
    pauses.progressed()
    assert pauses.pause_s(moved) == 0


def test_pauses_differ_between_clients():
    pauses = Counter(
        reopening.Reopening(is_wanted=True, note=None).pause_s(facewire.UnreachableError("lost"))
        for _ in range(50)
    )
    assert len(pauses) == 50
