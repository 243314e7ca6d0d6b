"""No client floods the log, and the reader of the log knows how much is missing."""

import pytest

from facewire_server.logs.rate_limit import _BURST, _REFILL_S, RateLimit


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.time_s = 1000.0

    def __call__(self) -> float:
        return self.time_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limit(clock: Clock) -> RateLimit:
    return RateLimit(clock)


def flood(limit: RateLimit, kind: str, count: int) -> int:
    """Returns how many of the entries were admitted."""
    return sum(limit.admits(kind) for _ in range(count))


def test_a_burst_is_admitted_and_then_one_at_a_time(limit: RateLimit, clock: Clock) -> None:
    assert flood(limit, "a", 3 * _BURST) == _BURST
    clock.time_s += _REFILL_S - 1
    assert not limit.admits("a")
    clock.time_s += 1
    assert flood(limit, "a", 5) == 1


def test_asking_often_earns_no_less(limit: RateLimit, clock: Clock) -> None:
    flood(limit, "a", _BURST)
    admitted = 0
    for _ in range(3000):
        clock.time_s += _REFILL_S / 1000
        admitted += limit.admits("a")
    assert admitted in (2, 3)  # sums of fractions


def test_a_flood_of_one_kind_suppresses_no_other(limit: RateLimit) -> None:
    flood(limit, "a", 3 * _BURST)
    assert limit.admits("b")


def test_rest_fills_the_bucket_and_no_more_than_it(limit: RateLimit, clock: Clock) -> None:
    flood(limit, "a", _BURST)
    clock.time_s += _REFILL_S * _BURST * 100
    assert flood(limit, "a", 3 * _BURST) == _BURST


def test_what_was_suppressed_is_counted_once(limit: RateLimit, clock: Clock) -> None:
    flood(limit, "a", _BURST + 5)
    flood(limit, "b", _BURST)
    assert limit.take_suppressed() == [], "a summary is due after a while"
    clock.time_s += _REFILL_S
    assert limit.take_suppressed() == [("a", 5)]
    assert limit.take_suppressed() == []
    flood(limit, "a", 3)  # one of them is admitted
    assert limit.take_suppressed() == []
    assert limit.take_suppressed(all_now=True) == [("a", 2)]
