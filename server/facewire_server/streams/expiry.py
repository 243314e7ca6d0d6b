"""Settles the frames of one stream whose deadline passes while they wait for a slot."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from facewire_server.errors import TimedOut
from facewire_server.streams.ledger import Ledger
from facewire_server.streams.tally import Settled, settled
from facewire_server.streams.values import Arrival
from facewire_server.work.condition import Condition

__all__ = ["expire"]


async def expire(
    ledger: Ledger[Arrival, Settled], changed: Condition, left_s: Callable[[Arrival], float]
) -> NoReturn:
    """Settles overdue frames as TimedOut, until it is cancelled.

    Args:
        ledger: of the stream.
        changed: notified at every change of the ledger.
        left_s: the seconds until a frame's deadline.
    """

    def next_deadline() -> tuple[int, float]:
        """Returns the next waiting frame's sequence and seconds left; (0, 0) if none waits.

        The frame itself is not kept: it may be superseded long before its deadline.
        """
        entry = ledger.next_waiting
        if entry is None or entry.frame is None:
            return 0, 0.0
        return entry.sequence, left_s(entry.frame)

    while True:
        await changed.until(lambda: ledger.has_waiting)
        sequence, seconds = next_deadline()
        await asyncio.sleep(seconds)
        if next_deadline()[0] != sequence:  # it was begun, or skipped
            continue
        entry = ledger.begin()
        if entry is not None and entry.frame is not None:
            late = TimedOut("the server was too busy to work on the frame before its deadline")
            ledger.settle(entry, settled(entry.frame, late))
            changed.notify()
