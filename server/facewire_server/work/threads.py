"""Runs a blocking step in a thread, and waits for the thread also if the caller is cancelled."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import TypeVar

__all__ = ["run_in_thread", "run_within"]

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
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    # One turn of the event loop; a shielded future takes two, and they cost as much as a short step.
    work.add_done_callback(lambda _: _wake(loop, ended))
    try:
        await ended
    except asyncio.CancelledError:
        if not work.cancel():
            future = asyncio.wrap_future(work)
            while not future.done():
                with suppress(asyncio.CancelledError):  # a time limit and a client may both cancel
                    await asyncio.wait([future])
            future.exception()  # asyncio reports an error that no caller has looked at
        raise
    return work.result()


def _wake(loop: asyncio.AbstractEventLoop, ended: "asyncio.Future[None]") -> None:
    with suppress(RuntimeError):  # the loop was closed meanwhile: no task waits
        loop.call_soon_threadsafe(_settle, ended)


def _settle(ended: "asyncio.Future[None]") -> None:
    if not ended.done():  # its task was cancelled
        ended.set_result(None)


async def run_within(step: Callable[[], T], seconds: float) -> T:
    """Runs `step` in a thread of its own and returns its result; a thread that hangs is left behind.

    Raises:
        Exception: what `step` raised.
        TimeoutError: it took longer than `seconds`.
    """
    work: Future[T] = Future()
    work.set_running_or_notify_cancel()  # the caller may go, but cannot take the result's place

    def run() -> None:
        try:
            work.set_result(step())
        except BaseException as error:  # noqa: BLE001 - the caller's, whatever it is
            work.set_exception(error)

    # A daemon: Python does not wait for it at the end of the process.
    threading.Thread(target=run, name="alone", daemon=True).start()
    return await asyncio.wait_for(asyncio.wrap_future(work), seconds)
