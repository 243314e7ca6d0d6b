"""Bounds the pictures in work at once: a counting semaphore, FIFO over all cameras and calls.

A stream waits for at most `ServingLimits.frames_at_once` slots at a time, a call for one. So FIFO is
fair: a camera that floods the server waits in the same queue as the others, as often as they do.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from facewire_server.work.deadline import time_limit

__all__ = ["Slot", "SlotStatistics", "WorkSlots"]


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to work on one picture.

    Attributes:
        waited_s: seconds from asking for the slot to getting it.
    """

    waited_s: float


@dataclass(frozen=True, slots=True)
class SlotStatistics:
    """The use of the slots at one moment.

    Attributes:
        count: all slots.
        in_use: slots held.
        waiting: tasks that wait for a slot.
    """

    count: int
    in_use: int
    waiting: int


class WorkSlots:
    """Bounds the pictures in work and the time of each. One picture holds one slot, in a stream as in a call.

    Attributes:
        picture_timeout_s: seconds from a picture's arrival to its answer.
    """

    def __init__(self, count: int, *, picture_timeout_s: float = 10.0) -> None:
        self.picture_timeout_s = picture_timeout_s
        self._free = asyncio.Semaphore(count)  # wakes its waiters in FIFO order
        self._count = count
        self._in_use = 0
        self._waiting = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        """Waits for a slot, and holds it for the block."""
        asked_at_s = time.perf_counter()
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        self._in_use += 1
        try:
            yield Slot(time.perf_counter() - asked_at_s)
        finally:
            self._in_use -= 1
            self._free.release()

    @asynccontextmanager
    async def picture(self) -> AsyncIterator[Slot]:
        """Like `slot`; waiting and block together take at most `picture_timeout_s`.

        Raises:
            TimedOut: they took longer.
        """
        async with time_limit(self.picture_timeout_s), self.slot() as slot:
            yield slot

    def statistics(self) -> SlotStatistics:
        """Returns the use of the slots now."""
        return SlotStatistics(self._count, self._in_use, self._waiting)
