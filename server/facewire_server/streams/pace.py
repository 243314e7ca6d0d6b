"""Decides when a camera is advised to slow down, and to what pace."""

from typing import Final

from facewire_server.streams.values import Answered, Skipped, SkipReason

__all__ = ["PaceRule"]

_WINDOW_S: Final = 10.0
"""Seconds of a window. Chosen, not measured: longer than a burst of movement, short enough to help."""


class PaceRule:
    """Advises the pace that the server achieved, after each window of 10 s in which it skipped frames.

    A window without answers causes no advice: a pace of 0 would help no camera. Frames that were
    skipped because of a shutdown do not count.
    """

    def __init__(self, now_s: float) -> None:
        self._start(now_s)

    def count(self, entry: Answered | Skipped) -> None:
        """Counts frames that were accounted for."""
        if isinstance(entry, Answered):
            self._answered += 1
        elif entry.reason is not SkipReason.SHUTTING_DOWN:
            self._skipped += entry.frame_count

    def due(self, now_s: float) -> float | None:
        """Returns the frames a second to advise now, or None."""
        elapsed_s = now_s - self._started_s
        if elapsed_s < _WINDOW_S:
            return None
        pace = self._answered / elapsed_s if self._skipped and self._answered else None
        self._start(now_s)
        return pace

    def _start(self, now_s: float) -> None:
        self._started_s = now_s
        self._answered = 0
        self._skipped = 0
