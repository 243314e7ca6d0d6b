"""The time that a picture may take, and what is left of it wherever one asks.

The limit belongs to the task that works on the picture, and to the tasks that it starts: a
backend that waits for another process passes the rest on, so that nobody computes an answer for
which nobody waits any more.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from facewire_server.errors import TimedOut

__all__ = ["remaining_s", "time_limit"]

_ends_at_s: ContextVar[float | None] = ContextVar("ends_at_s", default=None)


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """Cancels the block after so long, or when an outer limit ends.

    Raises:
        TimedOut: it was not finished in time.
    """
    before = _ends_at_s.get()
    ends_at_s = time.monotonic() + seconds
    token = _ends_at_s.set(ends_at_s if before is None else min(before, ends_at_s))
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise TimedOut("the picture was not finished in its time") from error
        raise
    finally:
        _ends_at_s.reset(token)


def remaining_s() -> float | None:
    """Seconds until the limit of this task ends, at least 0; None where there is no limit."""
    ends_at_s = _ends_at_s.get()
    return None if ends_at_s is None else max(0.0, ends_at_s - time.monotonic())
