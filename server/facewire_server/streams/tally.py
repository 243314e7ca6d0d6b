"""What became of one stream's frames, in numbers."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from facewire_server.errors import ServerError
from facewire_server.streams.values import Answered, Skipped, SkipReason
from facewire_server.types import Recognition

__all__ = ["SessionStatistics", "Tally"]

_TIMES_KEPT: Final = 1024
"""Frames whose time counts for the median. Chosen, not measured: minutes of a camera, 30 KB."""


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """One stream at one moment. Counts are since its start.

    Attributes:
        camera_id: as the client named it; "" before the config came.
        is_read_to_end: no more frames will be read: half-closed, or draining.
        byte_count: bytes of the pictures read.
        outstanding: frames read and not accounted for.
        waiting: of these, frames that wait for a slot.
        unsent: answers and ranges of skipped frames that wait to be sent.
        recognized: frames answered with a recognition.
        failed: frames answered with an error, by the error's class.
        skipped: skipped frames, by reason.
        median_s: median time from a frame's arrival to its answer, of the last 1,024 recognized
            frames; 0 without any.
    """

    camera_id: str
    is_read_to_end: bool
    byte_count: int
    outstanding: int
    waiting: int
    unsent: int
    recognized: int
    failed: Mapping[type[ServerError], int] = field(default_factory=dict)
    skipped: Mapping[SkipReason, int] = field(default_factory=dict)
    median_s: float = 0.0


class Tally:
    """Counts the frames of one stream as they are accounted for.

    Attributes:
        byte_count: bytes of the pictures read.
        recognized: frames answered with a recognition.
        failed: frames answered with an error, by the error's class.
        skipped: skipped frames, by reason.
    """

    def __init__(self) -> None:
        self.byte_count = 0
        self.recognized = 0
        self.failed: Counter[type[ServerError]] = Counter()
        self.skipped: Counter[SkipReason] = Counter()
        self._times_s: deque[float] = deque(maxlen=_TIMES_KEPT)

    @property
    def median_s(self) -> float:
        """Median time of the last 1,024 recognized frames, seconds; 0 without any."""
        return median(self._times_s) if self._times_s else 0.0

    def count(self, entry: Answered | Skipped) -> None:
        """Counts what one frame, or a range of them, became."""
        if isinstance(entry, Skipped):
            self.skipped[entry.reason] += entry.frame_count
        elif isinstance(entry.result, Recognition):
            self.recognized += 1
            self._times_s.append(entry.result.timings.total_s)
        else:
            self.failed[type(entry.result)] += 1
