"""The sending half of a stream pulls a frame only when it may send it."""

import dataclasses
import threading
from queue import SimpleQueue

import pytest

from facewire import Frame, FramesSkipped, SkipReason, StreamLimits
from facewire._sync.feed import Feed, messages
from facewire._wire.ledger import Turn
from facewire.v1 import recognition_pb2
from fakes.pulled import copies

LIMITS = StreamLimits(max_in_flight=2, max_frame_bytes=100, max_pixels=1, model_contract_id="")
CONFIG = recognition_pb2.StreamConfig(camera_id="door")


def begun(feed, limits=LIMITS):
    """The frames that a call of a stream sends."""
    turn = Turn()
    sent = messages(CONFIG, feed, turn)
    assert next(sent).config == CONFIG
    feed.start(turn, limits)
    return sent


def opened(frames, max_in_flight=9, *, resends=False):
    feed = Feed(iter(frames), resends=resends)
    return feed, begun(feed, dataclasses.replace(LIMITS, max_in_flight=max_in_flight))


def sequences(messages):
    return [message.frame.sequence for message in messages]


def test_no_frame_is_pulled_before_the_server_has_named_its_limit():
    pulled: list[int] = []
    feed, turn = Feed(copies(b"x", 3, pulled)), Turn()
    sent = messages(CONFIG, feed, turn)
    next(sent)
    feed.end(turn)
    assert list(sent) == []
    assert pulled == []


def test_a_frame_is_pulled_only_when_there_is_credit_for_it():
    pulled: list[int] = []
    feed, sent = opened(copies(b"x", 10, pulled), max_in_flight=2)
    assert [next(sent).frame.sequence for _ in range(2)] == [1, 2]
    waiting = threading.Thread(target=lambda: next(sent))
    waiting.start()
    assert pulled == [0, 1]
    feed.give_back(1)
    waiting.join()
    assert pulled == [0, 1, 2]
    assert feed.in_flight == 2


def test_closing_wakes_a_sender_that_waits_for_credit():
    feed, sent = opened([b"x"] * 10, max_in_flight=2)
    next(sent), next(sent)
    rest = []
    waiting = threading.Thread(target=lambda: rest.extend(sent))
    waiting.start()
    assert feed.break_off() == FramesSkipped(1, 2, SkipReason.CONNECTION_LOST, 2)
    waiting.join()
    assert rest == []
    assert not feed.exhausted


def test_frames_carry_their_moment_and_pictures_are_numbered_from_one():
    _, sent = opened([Frame(b"a", captured_at_us=7), b"b"])
    first, second = (message.frame for message in sent)
    assert (first.sequence, first.captured_at_us, first.image.data) == (1, 7, b"a")
    assert (second.sequence, second.captured_at_us, second.image.data) == (2, 0, b"b")


def test_a_frame_over_the_limit_is_cut_to_just_over_it():
    _, sent = opened([bytes(100), bytes(10_000)])
    assert [len(message.frame.image.data) for message in sent] == [100, 101]


def test_an_error_of_the_frames_ends_the_sending_and_is_kept():
    def frames():
        yield b"a"
        raise KeyError("camera")

    feed, sent = opened(frames())
    assert len(list(sent)) == 1
    assert isinstance(feed.error, KeyError)
    assert not feed.exhausted


@pytest.mark.parametrize("bad", [None, "/no/such/file.jpg"])
def test_a_frame_that_is_no_picture_ends_the_sending_like_an_error(bad):
    feed, sent = opened([bad])
    assert list(sent) == []
    assert isinstance(feed.error, TypeError | OSError)


def test_frames_without_a_result_are_lost_with_their_call_and_the_next_ones_are_numbered_on():
    feed, sent = opened([b"x"] * 6, max_in_flight=3)
    assert sequences(next(sent) for _ in range(3)) == [1, 2, 3]
    feed.give_back(1)
    assert feed.break_off() == FramesSkipped(2, 3, SkipReason.CONNECTION_LOST, 2)
    assert list(sent) == []
    sent = begun(feed)
    assert sequences(next(sent) for _ in range(2)) == [4, 5]
    assert feed.in_flight == 2
    assert feed.break_off() == FramesSkipped(4, 5, SkipReason.CONNECTION_LOST, 2)
    assert sequences(begun(feed)) == [6]
    assert feed.break_off() is not None
    assert feed.break_off() is None
    assert feed.is_done


def test_frames_without_a_result_are_sent_again_if_every_one_is_wanted():
    feed, sent = opened([bytes([number]) for number in range(1, 6)], max_in_flight=3, resends=True)
    assert sequences(next(sent) for _ in range(3)) == [1, 2, 3]
    feed.give_back(1)
    assert feed.break_off() is None
    again = list(begun(feed, dataclasses.replace(LIMITS, max_in_flight=9)))
    assert sequences(again) == [2, 3, 4, 5]
    assert [message.frame.image.data for message in again] == [b"\2", b"\3", b"\4", b"\5"]
    feed.give_back(4)
    assert feed.is_done


def test_a_frame_that_a_broken_call_waits_for_is_the_next_calls():
    arriving: SimpleQueue[bytes] = SimpleQueue()
    asked = threading.Event()

    def arrived():
        asked.set()
        return arriving.get()

    feed, sent = opened(iter(arrived, b""))
    rest = []
    waiting = threading.Thread(target=lambda: rest.extend(sent))
    waiting.start()
    assert asked.wait(10)
    assert feed.break_off() is None
    following = begun(feed)
    found = []
    next_one = threading.Thread(target=lambda: found.append(next(following)))
    next_one.start()
    arriving.put(b"a")  # for whom the broken call's thread asked
    waiting.join()
    next_one.join()
    arriving.put(b"")
    assert rest == []
    assert sequences(found) == [1]
    assert list(following) == []
    assert feed.exhausted


def test_a_frame_may_be_waited_for_before_a_call():
    arriving: SimpleQueue[bytes] = SimpleQueue()
    feed, closed = Feed(iter(arriving.get, b"")), threading.Event()
    waiting = threading.Thread(target=lambda: feed.wait_for_frame(closed))
    waiting.start()
    arriving.put(b"a")
    waiting.join()
    sent = begun(feed)
    assert sequences([next(sent)]) == [1]
    waiting = threading.Thread(target=lambda: feed.wait_for_frame(closed))
    waiting.start()
    closed.set()
    feed.wake()
    waiting.join()
    arriving.put(b"")


def test_a_frame_that_is_sent_again_keeps_to_the_limit_of_its_server():
    feed, sent = opened([bytes(90)], resends=True)
    next(sent)
    feed.break_off()
    (again,) = begun(feed, dataclasses.replace(LIMITS, max_frame_bytes=50))
    assert len(again.frame.image.data) == 51
