"""Lets tasks of one event loop wait until something holds."""

import asyncio
from collections.abc import Callable

__all__ = ["Condition"]


class Condition:
    """A condition variable without a lock: no other task runs between two awaits.

    Not thread-safe: to be used by the tasks of one event loop.
    """

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], Callable[[], bool]] = {}

    def notify(self) -> None:
        """Wakes those for whom it holds now; a task that is woken in vain takes a turn of the event loop."""
        for waiter, holds in self._waiters.items():
            if not waiter.done() and holds():
                waiter.set_result(None)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits until `holds()` is true; it is called now, in each `notify`, and when the task goes on."""
        while not holds():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters[waiter] = holds
            try:
                await waiter
            finally:
                del self._waiters[waiter]
