"""Open streams are counted exactly, and a shutdown reaches each of them."""

from contextlib import ExitStack

import pytest

from facewire_server.errors import ShuttingDown, TooManyStreams
from facewire_server.streams.registry import Streams, StreamsStatistics
from facewire_server.streams.session import Session
from facewire_server.streams.values import ReconnectReason


class Stream(Session):
    """A session that knows how often it was drained."""

    def __init__(self, idle_s: float = 0.0) -> None:
        self.drained = 0
        self.idle = idle_s
        self._leaving = None

    @property
    def idle_s(self) -> float:
        return 0.0 if self._leaving else self.idle

    def drain(self, reason: ReconnectReason = ReconnectReason.SHUTTING_DOWN) -> None:
        self.drained += 1
        self._leaving = reason


def test_streams_are_counted() -> None:
    streams = Streams(1)
    with streams.admitted(Stream()):
        for _ in range(2):
            with pytest.raises(TooManyStreams), streams.admitted(Stream()):
                pass
        assert streams.statistics() == StreamsStatistics(1, 1, 1, {TooManyStreams: 2})
    with streams.admitted(Stream()):
        pass
    streams.drain()
    with pytest.raises(ShuttingDown), streams.admitted(Stream()):
        pass
    refused = {TooManyStreams: 2, ShuttingDown: 1}
    assert streams.statistics() == StreamsStatistics(1, 0, 2, refused)


def test_there_are_no_more_than_the_most_and_an_end_makes_room() -> None:
    streams, first, second = Streams(2), Stream(), Stream()
    with streams.admitted(first):
        with streams.admitted(second):
            assert list(streams) == [first, second]
            with pytest.raises(TooManyStreams, match="2 streams"), streams.admitted(Stream()):
                pass
            assert len(streams) == 2
        with streams.admitted(Stream()):
            assert len(streams) == 2
    assert len(streams) == 0


def test_the_stream_that_is_idle_for_longest_gives_way_to_a_new_one() -> None:
    streams, busy, idle, idlest = Streams(3), Stream(9.9), Stream(11.0), Stream(12.0)
    with ExitStack() as admitted:
        for one in (busy, idlest, idle):
            admitted.enter_context(streams.admitted(one))
        for drained in ([0, 0, 1], [0, 1, 1]):
            admitted.enter_context(streams.admitted(Stream()))
            assert [one.drained for one in (busy, idle, idlest)] == drained
        with pytest.raises(TooManyStreams):
            admitted.enter_context(streams.admitted(Stream()))
    assert busy.drained == 0


def test_a_stream_that_fails_gives_its_place_back() -> None:
    streams = Streams(1)
    with pytest.raises(KeyError), streams.admitted(Stream()):
        raise KeyError
    with streams.admitted(Stream()):
        pass


def test_a_drain_reaches_the_open_streams_and_admits_no_more() -> None:
    streams, first, second, gone = Streams(9), Stream(), Stream(), Stream()
    with streams.admitted(gone):
        pass
    with streams.admitted(first), streams.admitted(second):
        streams.drain()
        with pytest.raises(ShuttingDown), streams.admitted(Stream()):
            pass
    assert (first.drained, second.drained, gone.drained) == (1, 1, 0)


def test_a_stream_may_end_while_the_others_are_drained() -> None:
    streams = Streams(9)
    second = Stream()
    ending = streams.admitted(second)

    class First(Stream):
        def drain(self, reason: ReconnectReason = ReconnectReason.SHUTTING_DOWN) -> None:
            ending.__exit__(None, None, None)

    with streams.admitted(First()):
        ending.__enter__()
        streams.drain()
    assert len(streams) == 0
