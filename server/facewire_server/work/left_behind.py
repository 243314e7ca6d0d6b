"""Lets a picture's caller go at its deadline while a thread that cannot be stopped ends by itself."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from facewire_server.work.deadline import remaining_s
from facewire_server.work.spent import spend

__all__ = ["LeftBehind"]

T = TypeVar("T")


class LeftBehind:
    """Work whose deadline has passed, and which goes on in threads.

    It keeps the memory that it has taken until it ends, but not the slot: a decoder that is busy for
    long keeps no other picture out.
    """

    def __init__(self, most: int) -> None:
        """Allows `most` at a time. Beyond, callers wait for the end of their work, slot in hand."""
        self._most = most
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def count(self) -> int:
        """Pictures that are left behind now."""
        return len(self._tasks)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` and returns its result. If the deadline passes, it is cancelled and may end later.

        A caller that is cancelled before waits for the end of `work`, at most until the deadline.

        Raises:
            Exception: what `work` raised.
            asyncio.CancelledError: the caller was cancelled.
        """
        task, began_s = asyncio.ensure_future(work), time.perf_counter()
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            while not task.done():
                if remaining_s() == 0 and len(self._tasks) < self._most:
                    self._leave(task, time.perf_counter() - began_s)
                    break
                with suppress(asyncio.CancelledError):  # the deadline's, after the caller's
                    await asyncio.wait([task], timeout=remaining_s() or None)
            raise

    def _leave(self, task: "asyncio.Task[Any]", took_s: float) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        spend(took_s)  # what the thread spends is known at its end only

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as seen: the caller has left with TimedOut
