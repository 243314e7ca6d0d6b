"""Runs a blocking step in a thread, and waits for the thread also if the caller is cancelled."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

__all__ = ["run_in_thread"]

T = TypeVar("T")


async def run_in_thread(threads: Executor, step: Callable[[], T]) -> T:
    """Runs `step` in one of the threads and returns its result.

    A cancelled caller still waits for a step that runs: a thread cannot be stopped, and what it
    uses must not be closed or reused before it ends. A step that has not begun is dropped.

    Args:
        threads: where the step runs.
        step: the blocking call.

    Raises:
        Exception: what `step` raised.
        asyncio.CancelledError: the caller was cancelled; what `step` returns or raises is dropped.
    """
    work = threads.submit(step)
    future = asyncio.wrap_future(work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        work.cancel()
        while not future.done():
            with suppress(asyncio.CancelledError):  # a time limit and a client may both cancel
                await asyncio.wait([future])
        if not future.cancelled():
            future.exception()  # asyncio reports an error that no caller has looked at
        raise
