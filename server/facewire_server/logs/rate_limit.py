"""Keeps a client from flooding the log: a token bucket for each kind of entry (RFC 2697's idea).

There is one bucket for each kind, not for each client, so memory is bounded.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

__all__ = ["RateLimit"]

_BURST: Final = 100
"""Entries of a kind that may be written at once. Chosen, not measured: more than the 64 cameras that reconnect
together after a restart."""

_REFILL_S: Final = 10.0
"""Seconds after which one more entry may be written, and between summaries. Chosen, not measured: a client that
floods the log causes some 5 MB a day, and the changes of galleries stay in the file."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    refilled_at_s: float
    suppressed: int = 0
    summary_due_s: float = 0.0


class RateLimit:
    """Decides which entries may be written, and counts the others. May be used from any thread."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """Starts with full buckets; `now_s` is the clock, seconds."""
        self._now_s = now_s
        self._buckets: dict[str, _Bucket] = {}
        self._lock = Lock()

    def admits(self, kind: str) -> bool:
        """Returns whether one more entry of this kind may be written now; counts it if not."""
        with self._lock:
            now_s = self._now_s()
            bucket = self._buckets.setdefault(kind, _Bucket(_BURST, now_s))
            earned = (now_s - bucket.refilled_at_s) / _REFILL_S
            bucket.tokens = min(float(_BURST), bucket.tokens + earned)
            bucket.refilled_at_s = now_s
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return True
            self._suppress(bucket, now_s)
            return False

    def count(self, kind: str) -> None:
        """Counts an entry that is never written, as one that was suppressed."""
        with self._lock:
            now_s = self._now_s()
            self._suppress(self._buckets.setdefault(kind, _Bucket(0.0, now_s)), now_s)

    @staticmethod
    def _suppress(bucket: _Bucket, now_s: float) -> None:
        if not bucket.suppressed:
            bucket.summary_due_s = now_s + _REFILL_S
        bucket.suppressed += 1

    def take_suppressed(self, *, all_now: bool = False) -> list[tuple[str, int]]:
        """Returns kinds with the number of their entries suppressed since the last return.

        Args:
            all_now: also those whose summary is not due yet.
        """
        with self._lock:
            now_s = self._now_s()
            taken = []
            for kind, bucket in self._buckets.items():
                if bucket.suppressed and (all_now or now_s >= bucket.summary_due_s):
                    taken.append((kind, bucket.suppressed))
                    bucket.suppressed = 0
            return taken
