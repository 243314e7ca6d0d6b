"""Works that run together until one of them fails."""

import asyncio
from collections.abc import Awaitable

__all__ = ["first_of", "heed_cancellation"]


def heed_cancellation() -> None:
    """Ends this task if it was cancelled, and what it waited for returned nevertheless.

    `asyncio.wait_for`, in which aiomqtt waits for the broker, loses a cancellation that comes with the result, up to
    Python 3.11 (https://github.com/python/cpython/issues/86296): a bridge that was stopped then went on for ever.

    Raises:
        asyncio.CancelledError: the task was cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def first_of(*works: Awaitable[None]) -> None:
    """Runs works that never end by themselves; the error of the first one that fails ends all.

    Raises:
        Exception: that error.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
