"""The numbers of a stream are those of its entries."""

from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.streams.tally import Settled, Tally, settled
from facewire_server.streams.values import Arrival, Frame, Skipped, SkipReason
from facewire_server.types import Picture, Recognition, Timings

ARRIVAL = Arrival(Frame(1, 0, Picture(b"12345")), 0.0)


def recognized(total_s: float) -> Settled:
    return settled(ARRIVAL, Recognition((), 640, 480, 1, Timings(total_s=total_s)))


def test_a_stream_without_frames_has_no_median() -> None:
    assert Tally().median_s == 0.0


def test_each_entry_counts_where_it_belongs() -> None:
    tally = Tally()
    for total_s in (1.0, 2.0, 9.0):
        tally.account(recognized(total_s))
    for error in (TimedOut("late"), TimedOut("late"), ModelUnavailable("away")):
        tally.account(settled(ARRIVAL, error))
    tally.account(Skipped(3, 7, 4, SkipReason.OVER_CREDIT))
    assert (tally.recognized, tally.median_s) == (3, 2.0)
    assert tally.failed == {TimedOut: 2, ModelUnavailable: 1}
    assert tally.skipped == {SkipReason.OVER_CREDIT: 4}


def test_the_median_is_of_the_last_frames() -> None:
    tally = Tally()
    for _ in range(1024):
        tally.account(recognized(9.0))
    for _ in range(1024):
        tally.account(recognized(1.0))
    assert tally.median_s == 1.0
    assert tally.recognized == 2048
