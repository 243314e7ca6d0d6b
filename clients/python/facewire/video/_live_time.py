"""The time at which a live picture was taken, on this machine's clock."""

__all__ = ["LiveTime"]

_WINDOW_S = 10.0
"""Seconds for which the quickest picture counts, at least. Chosen, not measured: what waited during a stall has come
by then, and a way that has become permanently longer is the new way soon after."""

_LEAP_S = 10.0
"""A step of the time stamps that is this much other than that of our clock is a new clock, seconds: FFmpeg's bound
of films (`-dts_delta_threshold`)."""


class LiveTime:
    """Maps the time stamps of a live source to our clock.

    A camera's clock has another origin than ours. The difference between a picture's arrival and its time stamp is
    that origin and the time that the picture was on its way. The smallest difference of the last 10 to 20 s
    belongs to the quickest picture; whatever another one took longer, it waited somewhere, and is that much
    older. So the time is right but for the shortest way, which cannot be known (milliseconds in a house).

    The first pictures have waited while the source was opened. Until a quicker one has come they seem to be as new as
    they arrive: up to the opening's duration too new.

    A camera that is opened again gets a new map, and so does one whose time stamps leap.
    """

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._last_taken_s: float | None = None
        self._window_ends_s = 0.0
        self._offset_s = 0.0
        self._older_offset_s = 0.0

    def taken_s(self, stamp_s: float | None, arrived_s: float) -> float:
        """Returns when a picture was taken, by our clock; never later than it arrived.

        Args:
            stamp_s: its time stamp, seconds from any origin; None if it has none. One without, after one that had it,
                has that one's time: FFmpeg loses the first stamp after a read that failed, when old pictures come.
            arrived_s: when it arrived, by our clock.
        """
        if stamp_s is None:
            taken_s, self._last_taken_s = self._last_taken_s, None
            return arrived_s if taken_s is None else taken_s
        offset_s = arrived_s - stamp_s
        if self._last is None or self._leaps(stamp_s, arrived_s):
            self._offset_s = self._older_offset_s = offset_s
            self._window_ends_s = arrived_s + _WINDOW_S
        elif arrived_s >= self._window_ends_s:
            self._older_offset_s, self._offset_s = self._offset_s, offset_s
            self._window_ends_s = arrived_s + _WINDOW_S
        self._last = stamp_s, arrived_s
        self._offset_s = min(self._offset_s, offset_s)
        self._last_taken_s = stamp_s + min(self._offset_s, self._older_offset_s)
        return self._last_taken_s

    def _leaps(self, stamp_s: float, arrived_s: float) -> bool:
        """Returns whether the time stamps have a new origin.

        After a stall of the network pictures come late with stamps that go on: a small step of the stamps is no leap,
        however long the pause.
        """
        if self._last is None:
            return True
        step_s = stamp_s - self._last[0]
        return step_s < 0 or step_s - (arrived_s - self._last[1]) > _LEAP_S
