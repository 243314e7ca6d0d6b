"""Open streams are counted exactly, and a shutdown reaches each of them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from facewire_server.errors import ShuttingDown, TooManyStreams, WorkerBusy
from facewire_server.streams.registry import Streams, StreamsStatistics
from facewire_server.streams.session import Session
from facewire_server.streams.values import ReconnectReason
from facewire_server.workers.table import Slot, Table


class Stream(Session):
    """A session that knows how often it was drained."""

    def __init__(self, idle_s: float = 0.0) -> None:
        self.drained = 0
        self.idle = idle_s
        self._leaving = None
        self.is_open = True

    @property
    def can_move(self) -> bool:
        return self.is_open and self._leaving is None

    @property
    def idle_s(self) -> float:
        return 0.0 if self._leaving else self.idle

    def drain(self, reason: ReconnectReason = ReconnectReason.SHUTTING_DOWN) -> None:
        self.drained += 1
        self._leaving = reason


def test_streams_are_counted() -> None:
    streams = Streams(1)
    with streams.admitted(Stream(), "ipv4:a:1"):
        for _ in range(2):
            with pytest.raises(TooManyStreams), streams.admitted(Stream(), "ipv4:a:1"):
                pass
        assert streams.statistics() == StreamsStatistics(1, 1, 1, {TooManyStreams: 2}, 0)
    with streams.admitted(Stream(), "ipv4:a:1"):
        pass
    streams.drain()
    with pytest.raises(ShuttingDown), streams.admitted(Stream(), "ipv4:a:1"):
        pass
    refused = {TooManyStreams: 2, ShuttingDown: 1}
    assert streams.statistics() == StreamsStatistics(1, 0, 2, refused, 0)


def test_there_are_no_more_than_the_most_and_an_end_makes_room() -> None:
    streams, first, second = Streams(2), Stream(), Stream()
    with streams.admitted(first, "ipv4:a:1"):
        with streams.admitted(second, "ipv4:a:1"):
            assert list(streams) == [first, second]
            with (
                pytest.raises(TooManyStreams, match="2 streams"),
                streams.admitted(Stream(), "ipv4:a:1"),
            ):
                pass
            assert len(streams) == 2
        with streams.admitted(Stream(), "ipv4:a:1"):
            assert len(streams) == 2
    assert len(streams) == 0


def test_the_stream_that_is_idle_for_longest_gives_way_to_a_new_one() -> None:
    streams, busy, idle, idlest = Streams(3), Stream(9.9), Stream(11.0), Stream(12.0)
    with ExitStack() as admitted:
        for one in (busy, idlest, idle):
            admitted.enter_context(streams.admitted(one, "ipv4:a:1"))
        for drained in ([0, 0, 1], [0, 1, 1]):
            admitted.enter_context(streams.admitted(Stream(), "ipv4:a:1"))
            assert [one.drained for one in (busy, idle, idlest)] == drained
        with pytest.raises(TooManyStreams):
            admitted.enter_context(streams.admitted(Stream(), "ipv4:a:1"))
    assert busy.drained == 0


def test_a_stream_that_fails_gives_its_place_back() -> None:
    streams = Streams(1)
    with pytest.raises(KeyError), streams.admitted(Stream(), "ipv4:a:1"):
        raise KeyError
    with streams.admitted(Stream(), "ipv4:a:1"):
        pass


def test_a_drain_reaches_the_open_streams_and_admits_no_more() -> None:
    streams, first, second, gone = Streams(9), Stream(), Stream(), Stream()
    with streams.admitted(gone, "ipv4:a:1"):
        pass
    with streams.admitted(first, "ipv4:a:1"), streams.admitted(second, "ipv4:a:1"):
        streams.drain()
        with pytest.raises(ShuttingDown), streams.admitted(Stream(), "ipv4:a:1"):
            pass
    assert (first.drained, second.drained, gone.drained) == (1, 1, 0)


def test_a_stream_may_end_while_the_others_are_drained() -> None:
    streams = Streams(9)
    second = Stream()
    ending = streams.admitted(second, "ipv4:a:1")

    class First(Stream):
        def drain(self, reason: ReconnectReason = ReconnectReason.SHUTTING_DOWN) -> None:
            ending.__exit__(None, None, None)

    with streams.admitted(First(), "ipv4:a:1"):
        ending.__enter__()
        streams.drain()
    assert len(streams) == 0


@pytest.fixture
def slots() -> Iterator[tuple[Slot, Slot]]:
    """Of two workers that take calls."""
    table = Table(4)
    one, two = Slot(table, 0), Slot(table, 2)
    one.set_takes_calls(True)
    two.set_takes_calls(True)
    yield one, two
    table.close()


def test_the_most_streams_are_those_of_all_workers(slots: tuple[Slot, Slot]) -> None:
    one, two = (Streams(3, slot) for slot in slots)
    with one.admitted(Stream(), "a"), two.admitted(Stream(), "b"):
        with one.admitted(Stream(), "c"):
            for full in (one, two):
                with pytest.raises(TooManyStreams), full.admitted(Stream(), "d"):
                    pass
        with two.admitted(Stream(), "d"):
            pass


def test_a_worker_with_two_streams_more_than_another_is_busy(slots: tuple[Slot, Slot]) -> None:
    one, two = (Streams(9, slot) for slot in slots)
    with one.admitted(Stream(), "a"), one.admitted(Stream(), "b"):
        with pytest.raises(WorkerBusy), one.admitted(Stream(), "c"):
            pass
        with (
            two.admitted(Stream(), "c"),
            one.admitted(Stream(), "d"),
            pytest.raises(WorkerBusy),
            one.admitted(Stream(), "e"),
        ):
            pass
    assert one.statistics() == StreamsStatistics(9, 0, 3, {WorkerBusy: 2}, 0)


def test_a_worker_is_not_busy_for_the_sake_of_one_that_takes_no_calls(
    slots: tuple[Slot, Slot],
) -> None:
    one = Streams(9, slots[0])
    slots[1].set_takes_calls(False)
    with one.admitted(Stream(), "a"), one.admitted(Stream(), "b"), one.admitted(Stream(), "c"):
        slots[1].set_takes_calls(True)
        with pytest.raises(WorkerBusy), one.admitted(Stream(), "d"):
            pass


def test_the_slot_of_a_worker_that_died_counts_for_nothing() -> None:
    table = Table(2)
    one, two = Streams(3, Slot(table, 0)), Slot(table, 1)
    two.set_takes_calls(True)
    two.publish(3)
    with pytest.raises(TooManyStreams), one.admitted(Stream(), "a"):
        pass
    table.clear(1)
    with one.admitted(Stream(), "a"), one.admitted(Stream(), "b"), one.admitted(Stream(), "c"):
        pass
    table.close()


def test_a_connection_is_served_after_four_refusals(slots: tuple[Slot, Slot]) -> None:
    one = Streams(9, slots[0])
    with one.admitted(Stream(), "only"), one.admitted(Stream(), "only"):
        for _ in range(2):
            for _ in range(4):
                with pytest.raises(WorkerBusy), one.admitted(Stream(), "only"):
                    pass
            with pytest.raises(WorkerBusy), one.admitted(Stream(), "another"):
                pass
            with one.admitted(Stream(), "only"):
                pass


def test_a_full_server_without_a_stream_of_this_worker_refuses(slots: tuple[Slot, Slot]) -> None:
    one = Streams(1, slots[0])
    slots[1].publish(1)
    with pytest.raises(TooManyStreams), one.admitted(Stream(), "a"):
        pass


def looked(streams: Streams, count: int) -> int:
    """How many streams were moved by this number of looks."""
    before = streams.statistics().moved
    for _ in range(count):
        streams.look_at_others()
    return streams.statistics().moved - before


@pytest.fixture
def ahead(slots: tuple[Slot, Slot]) -> Iterator[tuple[Streams, list[Stream]]]:
    """A worker with six streams, each on a connection, beside one that has none."""
    slots[1].set_takes_calls(False)
    streams, sessions = Streams(9, slots[0]), [Stream() for _ in range(6)]
    with ExitStack() as admitted:
        for number, one in enumerate(sessions):
            admitted.enter_context(streams.admitted(one, f"ipv4:a:{number}"))
        slots[1].set_takes_calls(True)
        yield streams, sessions


def test_streams_move_to_a_worker_that_has_fewer_for_long_one_at_a_look(
    slots: tuple[Slot, Slot], ahead: tuple[Streams, list[Stream]]
) -> None:
    streams, sessions = ahead
    assert looked(streams, 4) == 0
    assert [looked(streams, 1) for _ in range(5)] == [1, 1, 1, 0, 0]  # those underway count there
    assert [one.drained for one in sessions] == [0, 0, 0, 1, 1, 1]
    with pytest.raises(WorkerBusy), streams.admitted(Stream(), "ipv4:a:9"):  # it comes back here
        pass
    slots[1].publish(3)
    assert looked(streams, 30) == 0


def test_streams_that_moved_and_never_arrived_do_not_count_there_for_ever(
    ahead: tuple[Streams, list[Stream]],
) -> None:
    streams, _ = ahead
    assert looked(streams, 10) == 3
    assert looked(streams, 30) == 2  # of the three here, until the other lacks less than two
    assert len([one for one in streams if not one.has_given_way]) == 1


def test_a_stream_that_ends_already_or_is_not_served_yet_is_not_moved(
    ahead: tuple[Streams, list[Stream]],
) -> None:
    streams, sessions = ahead
    sessions[-1].is_open = False
    assert looked(streams, 5) == 1
    assert [one.drained for one in sessions] == [0, 0, 0, 0, 1, 0]


def test_of_a_connection_one_stream_is_moved_since_all_may_come_back_on_it(
    slots: tuple[Slot, Slot],
) -> None:
    slots[1].set_takes_calls(False)
    streams = Streams(9, slots[0])
    with ExitStack() as admitted:
        for _ in range(6):
            admitted.enter_context(streams.admitted(Stream(), "ipv4:proxy:1"))
        slots[1].set_takes_calls(True)
        assert looked(streams, 100) == 1


def test_a_server_of_one_process_and_one_that_drains_move_none(
    ahead: tuple[Streams, list[Stream]],
) -> None:
    alone = Streams(9)
    with ExitStack() as admitted:
        for number in range(6):
            admitted.enter_context(alone.admitted(Stream(), f"ipv4:a:{number}"))
        assert looked(alone, 30) == 0
    ahead[0].drain()
    assert looked(ahead[0], 30) == 0


def test_a_full_server_moves_none_since_another_client_would_take_the_place(
    slots: tuple[Slot, Slot],
) -> None:
    slots[1].set_takes_calls(False)
    streams = Streams(6, slots[0])
    with ExitStack() as admitted:
        for number in range(6):
            admitted.enter_context(streams.admitted(Stream(), f"ipv4:a:{number}"))
        slots[1].set_takes_calls(True)
        assert looked(streams, 30) == 0
