"""The time of a film: it never steps back, and starts at 0."""

__all__ = ["FilmTime"]

LONGEST_GAP_S = 60.0
"""Longest time from one picture to the next that is believed, seconds. Chosen, not measured: films of scenes at rest
have long gaps, which a player shows, too; a clock that is set leaps by hours."""

LONGEST_GAP_OF_JOINED_S = 10.0
"""The same for formats whose pieces can be joined end to end, seconds: FFmpeg's own bound
(`-dts_delta_threshold`)."""


class FilmTime:
    """Counts the time of a film from the time stamps of its pictures.

    Recorders join pieces whose clocks start again; other films have no time stamps, or wrong ones. A step that is
    not forward, a leap and a missing time stamp count as one frame's time.

    Args:
        frame_s: one frame's time, seconds.
        longest_gap_s: a longer step is a leap, unless one frame's time is as long.
    """

    def __init__(self, frame_s: float, longest_gap_s: float) -> None:
        self._frame_s = frame_s
        self._longest_gap_s = max(longest_gap_s, 2 * frame_s)
        self._last_stamp_s: float | None = None
        self._at_s: float | None = None

    def at_s(self, stamp_s: float | None) -> float:
        """Returns the time of the next picture, seconds since the first one.

        Args:
            stamp_s: its time stamp, seconds from any origin; None if it has none.
        """
        if self._at_s is None:
            self._at_s = 0.0
        else:
            self._at_s += self._step_s(stamp_s)
        self._last_stamp_s = stamp_s
        return self._at_s

    def _step_s(self, stamp_s: float | None) -> float:
        if stamp_s is None or self._last_stamp_s is None:
            return self._frame_s
        step_s = stamp_s - self._last_stamp_s
        return step_s if 0 < step_s <= self._longest_gap_s else self._frame_s
