"""The sending half of a stream pulls a frame only when it may send it."""

import dataclasses
import threading

import pytest

from facewire import Frame, StreamLimits
from facewire._sync.feed import Feed, messages
from facewire.v1 import recognition_pb2
from fakes.pulled import copies

LIMITS = StreamLimits(max_in_flight=2, max_frame_bytes=100, max_pixels=1, model_contract_id="")
CONFIG = recognition_pb2.StreamConfig(camera_id="door")


def opened(frames, max_in_flight=9):
    limits = dataclasses.replace(LIMITS, max_in_flight=max_in_flight)
    feed = Feed()
    sent = messages(CONFIG, iter(frames), feed)
    assert next(sent).config == CONFIG
    feed.start(limits)
    return feed, sent


def test_no_frame_is_pulled_before_the_server_has_named_its_limit():
    pulled: list[int] = []
    feed = Feed()
    sent = messages(CONFIG, copies(b"x", 3, pulled), feed)
    next(sent)
    feed.close()
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
    feed.close()
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
