"""When a face should be looked at for the sake of its verdict."""

import math
from typing import Final

from facewire_server.streams.verdicts.looks import CLOCK_STEP_S

__all__ = ["LookTimes"]

_OPEN_INTERVAL_S: Final = 0.4
"""Seconds between two looks while the verdict is open: between those that count as two, .3, and those that are independent, .5."""

_SURE_INTERVAL_S: Final = 2.0
"""Seconds between two looks at a person about whom the verdict is confirmed. Chosen, not measured."""

_BETTER_SHOT: Final = 1.25
"""How much larger than in its largest look a face must be to be looked at early. Chosen, not measured."""


class LookTimes:
    """The time of the last look, or of the last try, and when the next one is due."""

    def __init__(self) -> None:
        """Starts with a look due."""
        self._tried_at_s = -math.inf

    def tried(self, at_s: float) -> None:
        """Takes note that the face was looked at, whether it was good enough or not."""
        self._tried_at_s = at_s

    def is_due(
        self, at_s: float, *, is_settled: bool, inter_eye_px: float, largest_px: float
    ) -> bool:
        """Whether the face should be looked at.

        Args:
            at_s: the time of the frame.
            is_settled: the verdict is confirmed, and nothing speaks against it.
            inter_eye_px: distance of the eyes now.
            largest_px: the same in the largest look.
        """
        is_better = inter_eye_px > _BETTER_SHOT * largest_px
        interval_s = _SURE_INTERVAL_S if is_settled and not is_better else _OPEN_INTERVAL_S
        return at_s - self._tried_at_s >= interval_s - CLOCK_STEP_S
