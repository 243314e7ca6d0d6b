"""Whose picture is worked on next: first come, first served, over all cameras and calls.

A stream waits with at most `StreamTerms.frames_at_once` frames at a time, a single call with one.
So first come, first served is fair: a camera that floods the server waits in the same queue as
the others, and as often as they.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from facewire_server.errors import TimedOut

__all__ = ["Turns", "time_limit"]


class Turns:
    """Lets a bounded number of pictures be worked on at once, in order of asking."""

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)  # wakes its waiters in order

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Waits for a turn, and holds it for the block; gives the seconds waited."""
        asked = time.perf_counter()
        async with self._free:
            yield time.perf_counter() - asked


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """Cancels the block after so long.

    Raises:
        TimedOut: it was not finished in time.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise TimedOut(f"the picture was not finished within {seconds:g} s") from error
        raise
