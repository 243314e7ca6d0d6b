"""Bounds the calls in flight to one replica by what it has shown to take.

TensorFlow Serving has a thread for each call, and declines calls beyond their number; so does its queue of batches. Neither
number can be asked for, and other servers may call the same replica. So the limit is learned, by additive increase and
multiplicative decrease (Chiu, Jain 1989, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance in Computer
Networks"): with these, callers that share a replica come near equal shares.
"""

import math
import time
from typing import Final

__all__ = ["CallLimit"]

_DECREASE: Final = 0.9
"""Share of the calls that a replica works on when it declines one, which is the limit from then on. Chosen, not measured: of
ten calls or more, one is left to other callers."""

_INCREASE_EVERY_S: Final = 1.0
"""Seconds until the limit is raised by one call. Chosen, not measured: each raise beyond what the replica takes costs one call a
second attempt, once a second."""


class CallLimit:
    """The most calls in flight to one replica.

    Attributes:
        calls: the limit, which is rounded up; infinite until the replica declines a call.
        in_flight: calls that have not ended.
    """

    def __init__(self) -> None:
        self.calls = math.inf
        self.in_flight = 0
        self._changed_at_s = -math.inf

    @property
    def is_reached(self) -> bool:
        """Whether no call may be added now."""
        return self.in_flight >= self.calls

    def declined(self) -> None:
        """Lowers the limit; called while the call that was declined is still counted as in flight."""
        others = self.in_flight - 1
        self.calls = min(self.calls, max(1.0, others * _DECREASE))
        self._changed_at_s = time.monotonic()

    def took(self) -> None:
        """Raises the limit by one call a second while it is reached; called while the call is still in flight."""
        now_s = time.monotonic()
        if self.is_reached and now_s - self._changed_at_s >= _INCREASE_EVERY_S:
            self.calls += 1
            self._changed_at_s = now_s
