"""Works that run together until one of them fails, and one that a cancelled task leaves behind."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

__all__ = ["first_of", "heed_cancellation", "left_behind"]

T = TypeVar("T")


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


async def left_behind(work: Callable[[], T]) -> T:
    """Runs work in a thread that a cancelled caller does not wait for: it ends with the process, if not before.

    asyncio's own threads are waited for at the end, so that a peer that says nothing would keep the process.

    Raises:
        Exception: that of the work.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 the caller's own
            tell(partial(done.set_exception, error))
        else:
            tell(partial(done.set_result, result))

    def tell(what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(lambda: None if done.done() else what())

    threading.Thread(target=run, daemon=True, name="facewire-call").start()
    return await done
