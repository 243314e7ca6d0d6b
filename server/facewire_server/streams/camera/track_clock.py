"""The clock of one stream's tracks: seconds, by the camera's clock if it states one, else by the arrival of its frames."""

from collections import deque
from statistics import median
from typing import Final

__all__ = ["TrackClock"]

_LONGEST_STEP_S: Final = 60.0
"""Seconds between two frames beyond which the camera's clock is not believed. Chosen, not measured: a person who is away for as
long is on another visit in any case."""

_SHORTEST_STEP_S: Final = 0.001
"""Seconds between two frames at least: a network delivers several at the same moment. Chosen, not measured."""

_SILENCE_S: Final = 5.0
"""Seconds without a frame after which time goes on for a camera that states its own: a film is sent as slowly as it is read or recognized.
Chosen, not measured."""

_SLOWEST: Final = 500.0
"""How many times as long as the camera's clock says frames take to arrive at most, by medians. A camera that states milliseconds, which the
field does not hold, is beyond by a factor of two; a film of 60 frames a second would have to be sent at one in 8 s. Chosen, not measured."""

_STEPS: Final = 9
"""Steps whose median is the usual one. Chosen, not measured: odd; a gap or two change nothing."""


class TrackClock:
    """Time that never goes back, however a camera's clock does.

    Attributes:
        at_s: of the last frame; 0 before the first.
    """

    def __init__(self) -> None:
        self.at_s = 0.0
        self._captured_at_us = 0
        self._arrived_at_s: float | None = None
        self._steps_s: deque[float] = deque(maxlen=_STEPS)
        self._stated_s: deque[float] = deque(maxlen=_STEPS)
        self._arrived_after_s: deque[float] = deque(maxlen=_STEPS)

    @property
    def usual_step_s(self) -> float:
        """Seconds from a frame to the next one, as a rule; 0 before the second frame."""
        return median(self._steps_s) if self._steps_s else 0.0

    def frame(self, captured_at_us: int, arrived_at_s: float) -> float:
        """Returns the time of the next frame.

        Args:
            captured_at_us: by the camera's clock, microseconds; 0 = it states none.
            arrived_at_s: by a clock of this process.
        """
        if self._arrived_at_s is not None:
            step_s = self._step_s(captured_at_us, arrived_at_s - self._arrived_at_s)
            self._steps_s.append(step_s)
            self.at_s += step_s
        self._captured_at_us, self._arrived_at_s = captured_at_us, arrived_at_s
        return self.at_s

    def after(self, now_s: float) -> float:
        """Returns the time now, while no frame comes.

        Args:
            now_s: by the clock of `arrived_at_s`.
        """
        if self._arrived_at_s is None:
            return self.at_s
        is_stated = self._captured_at_us and not self._stands_still
        silent_s = now_s - self._arrived_at_s - (_SILENCE_S if is_stated else 0.0)
        return self.at_s + max(0.0, silent_s)

    def _step_s(self, captured_at_us: int, arrived_after_s: float) -> float:
        arrived_after_s = max(arrived_after_s, _SHORTEST_STEP_S)
        if not captured_at_us or not self._captured_at_us:
            return arrived_after_s
        step_s = (captured_at_us - self._captured_at_us) / 1e6
        if 0 <= step_s <= _LONGEST_STEP_S:
            self._stated_s.append(step_s)
            self._arrived_after_s.append(arrived_after_s)
        if self._stands_still:
            return arrived_after_s
        if 0 < step_s <= _LONGEST_STEP_S:
            return step_s
        # A camera that started again, or a film that begins again; but after a true pause the frame arrives as late.
        return max(self.usual_step_s, arrived_after_s)

    @property
    def _stands_still(self) -> bool:
        """Whether the camera's clock is so slow that it must count in other units."""
        if len(self._stated_s) < _STEPS:
            return False
        return median(self._stated_s) * _SLOWEST < median(self._arrived_after_s)
