"""Lets tasks of one event loop wait until something holds."""

import asyncio
from collections.abc import Callable

__all__ = ["Condition"]


class Condition:
    """A condition variable without a lock: no other task runs between two awaits.

    Not thread-safe: to be used by the tasks of one event loop.
    """

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Makes all waiters check again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits until `holds()` is true; it is called now and after each `notify`."""
        while not holds():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
