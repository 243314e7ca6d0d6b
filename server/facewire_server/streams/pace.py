"""When a camera is told to slow down, and to what."""

__all__ = ["PaceRule"]

_WINDOW_S = 10.0


class PaceRule:
    """Looks at a stream in windows of 10 s: one in which frames were skipped earns an advice.

    The advice is the pace that the server kept in that window. It is given at most once a window,
    and not where nothing was answered: a pace of 0 would be no advice.
    """

    def __init__(self, now_s: float) -> None:
        self._start(now_s)

    def count(self, *, answered: int = 0, skipped: int = 0) -> None:
        """Counts frames that were accounted for."""
        self._answered += answered
        self._skipped += skipped

    def due(self, now_s: float) -> float | None:
        """The frames a second to advise now, or None."""
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
