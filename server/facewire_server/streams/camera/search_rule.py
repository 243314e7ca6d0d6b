"""When a frame is searched: in regular intervals, and sooner if something moves, as long as that finds faces."""

from typing import Final

__all__ = ["SearchRule"]

_SOONEST: Final = 1 / 8
_LATEST: Final = 1 / 2
"""Shares of the interval after which movement may cause a search: at first, and after searches in vain. Measured at an interval of 1 s
(`python -m bench.search_delays`): who comes in is found 0.2 to 0.3 s after the first frame that shows the face, 0.5 s at most; with 1/4 and 1
after 0.5 s, 0.9 at most, since the first search finds a shoulder; at an interval of 0.5 s after 0.1 to 0.3 s, 0.3 at most."""

_EARLY_STEPS: Final = 1 / 4
"""Steps from frame to frame by which a search may come before its time, since clocks jitter. Not a whole one: a search takes three times as long as
following, so if each stream searched rather too early than too late, frames that come more than half an interval apart
would all be searched, and a server with too many cameras would lose half of what it does (`python -m bench.load_knee`)."""

_BUSY_STEPS: Final = 1 / 4
"""Steps from frame to frame that a frame waits for its turn at least if movement then causes no search: the server does not keep up, and
what moves would have up to two searches an interval for each camera. Chosen, not measured."""

_BUSY_S: Final = 0.03
"""Seconds that a frame must wait at least for that: one picture of another stream is no overload, at whatever rate frames come. Chosen, not
measured: following takes 16 ms of two processors, a search 54."""

_CLOCK_STEP_S: Final = 1e-6
"""Seconds: the resolution of the times that cameras state."""


class SearchRule:
    """The searches of one stream.

    Movement causes searches at a rate that falls while they find no new face, to twice that of a still picture: trees, screens and people
    with their backs to the camera move all day. It is as high as before once a new face is found, or nothing moves.
    """

    def __init__(self, interval_s: float) -> None:
        """Starts with a search due.

        Args:
            interval_s: time between two searches.
        """
        self._interval_s = interval_s
        self._last_s: float | None = None
        self._wait_s = self._interval_s * _SOONEST

    def is_due(self, at_s: float, step_s: float) -> bool:
        """Whether the frame at this time must be searched: the interval is over, or as good as.

        Args:
            at_s: time of the frame.
            step_s: seconds from a frame to the next one, as a rule.
        """
        if self._last_s is None:
            return True
        return at_s - self._last_s >= self._interval_s - _EARLY_STEPS * step_s - _CLOCK_STEP_S

    def may_follow_movement(self, at_s: float, step_s: float, waited_s: float) -> bool:
        """Whether movement may cause a search of the frame at this time.

        Args:
            at_s: time of the frame.
            step_s: seconds from a frame to the next one, as a rule.
            waited_s: seconds that it waited for its turn.
        """
        if self._last_s is None:
            return True
        if waited_s > max(_BUSY_S, _BUSY_STEPS * step_s):
            return False
        return at_s - self._last_s >= self._wait_s - _CLOCK_STEP_S

    def start_again(self) -> None:
        """Makes a search due."""
        self._last_s = None

    def searched(self, at_s: float, *, has_moved: bool, has_found: bool) -> None:
        """Notes a search.

        Args:
            at_s: time of the frame.
            has_moved: whether something had moved since the search before.
            has_found: whether it found a new face.
        """
        self._last_s = at_s
        is_in_vain = has_moved and not has_found
        soonest_s = self._interval_s * _SOONEST
        latest_s = self._interval_s * _LATEST
        self._wait_s = min(latest_s, 2 * self._wait_s) if is_in_vain else soonest_s
