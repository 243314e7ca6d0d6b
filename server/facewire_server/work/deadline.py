"""A picture's deadline, visible to every task that works on it.

A backend that calls another process passes the remaining time on, so that no process computes an
answer that no caller waits for.
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
    """Cancels the block after `seconds`, or at the outer deadline if that comes first.

    The deadline holds for the task that enters the block and for the tasks that it starts there.

    Raises:
        TimedOut: the block was not finished in time.
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
    """Returns the seconds until this task's deadline, at least 0; None without a deadline."""
    ends_at_s = _ends_at_s.get()
    return None if ends_at_s is None else max(0.0, ends_at_s - time.monotonic())
