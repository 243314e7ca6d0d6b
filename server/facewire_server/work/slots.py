"""Whose picture is worked on next: first come, first served, over all cameras and calls.

A stream waits with at most `ServingLimits.frames_at_once` frames at a time, a single call with one.
So first come, first served is fair: a camera that floods the server waits in the same queue as
the others, and as often as they.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["WorkSlots"]


class WorkSlots:
    """Lets a bounded number of pictures be worked on at once, in order of asking."""

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)  # wakes its waiters in order

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[float]:
        """Waits for a turn, and holds it for the block; gives the seconds waited."""
        asked = time.perf_counter()
        async with self._free:
            yield time.perf_counter() - asked
