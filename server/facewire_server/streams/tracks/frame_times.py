"""How long a track may be unseen: two seconds, or three frames of a slow stream, whose rate is learned."""

from collections import deque
from statistics import median
from typing import Final

__all__ = ["FrameTimes"]

_ENDS_AFTER_S: Final = 2.0
_ENDS_AFTER_FRAMES: Final = 3
"""A track ends when it was not seen for more than this number of seconds, or of frames, whichever is longer. Required."""

_INTERVALS: Final = 9
"""Number of the last frames whose times say how long a frame takes (their median). Chosen, not measured: one gap changes little."""

_LONGEST_INTERVAL_S: Final = 5.0
"""A longer time between two frames is a gap, not the stream's rate, seconds. Chosen, not measured: a frame every five seconds."""


class FrameTimes:
    """The times of the last frames, in seconds."""

    def __init__(self) -> None:
        self._intervals_s: deque[float] = deque(maxlen=_INTERVALS)
        self._last_s: float | None = None

    def add(self, at_s: float) -> None:
        """Takes the time of a frame."""
        self._intervals_s.extend(self._interval_to(at_s))
        self._last_s = at_s

    def end_after_s(self, frame_s: float | None = None) -> float:
        """Returns for how many seconds a track may be unseen.

        Args:
            frame_s: time of a frame that is about to be added: on a slow stream the second frame is the first to show that it
                is slow. None = there is none.
        """
        intervals = [*self._intervals_s, *([] if frame_s is None else self._interval_to(frame_s))]
        usual_s = median(intervals) if intervals else 0.0
        return max(_ENDS_AFTER_S, _ENDS_AFTER_FRAMES * usual_s)

    def _interval_to(self, at_s: float) -> list[float]:
        if self._last_s is None or at_s <= self._last_s:
            return []
        return [min(at_s - self._last_s, _LONGEST_INTERVAL_S)]
