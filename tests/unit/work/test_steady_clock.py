"""A clock is trusted after ten minutes without a leap."""

import pytest

from facewire_server.work.steady_clock import SteadyClock

SECOND_US = 1_000_000


def test_a_clock_is_steady_after_ten_minutes() -> None:
    clock = SteadyClock()
    seen = [clock.is_steady(number * SECOND_US) for number in range(602)]
    assert seen == [False] * 600 + [True] * 2


@pytest.mark.parametrize("leap_s", [-5, 61, 31_536_000])
def test_after_a_leap_it_must_prove_itself_again(leap_s: int) -> None:
    clock = SteadyClock()
    for number in range(601):
        clock.is_steady(number * SECOND_US)
    at_s = 601 + leap_s
    seen = [clock.is_steady((at_s + number) * SECOND_US) for number in range(601)]
    assert seen == [False] * 600 + [True]
