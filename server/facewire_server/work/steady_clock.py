"""Whether the time of day can be trusted to remove what is old: a clock that is wrong at the start, or leaps, would remove all of it."""

from typing import Final

__all__ = ["SteadyClock"]

_LEAP_US: Final = 60_000_000
"""Microseconds between two looks, a second apart, from which on the clock has leapt: far beyond a slow round. Chosen, not measured."""

_STEADY_LOOKS: Final = 600
"""Looks in a row without a leap from which on the clock is steady: ten minutes, in which a machine that starts has asked for
the time. Chosen, not measured."""


class SteadyClock:
    """Looks at the time of day once a second."""

    def __init__(self) -> None:
        """Has not looked yet."""
        self._last_us: int | None = None
        self._looks = 0

    def is_steady(self, now_us: int) -> bool:
        """Takes note of the time now, microseconds since 1970, and returns whether it has not leapt for ten minutes."""
        has_leapt = self._last_us is None or not 0 <= now_us - self._last_us < _LEAP_US
        self._looks = 0 if has_leapt else self._looks + 1
        self._last_us = now_us
        return self._looks >= _STEADY_LOOKS
