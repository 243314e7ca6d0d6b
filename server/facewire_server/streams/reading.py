"""Reads the frames of one stream into its ledger, no faster than they are worked on and their answers are read."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from facewire_server.errors import OutOfOrder
from facewire_server.streams.ledger import Ledger
from facewire_server.streams.limits import ServingLimits
from facewire_server.streams.tally import Settled, Tally
from facewire_server.streams.values import Arrival, Frame, StreamInput, StreamPlan
from facewire_server.work.condition import Condition
from facewire_server.work.held_bytes import Holder

__all__ = ["Reader"]

_SKIPPED_PER_S: Final = 60.0
"""Most frames of a stream that are read a second only to be skipped; beyond, the transport's flow control stops the client. Chosen, not measured:
as many as fast cameras send. Reading a frame takes .3 ms of processor and more, which no turn is charged for, and a client that sends whenever a
frame is accounted for, as a skipped one is at once, sends thousands."""

_SKIPPED_BYTES_PER_S: Final = 32 << 20
"""Most bytes of such frames. Chosen, not measured: twenty frames of 4K a second."""


class Reader:
    """Reads one stream.

    Attributes:
        is_over: no further frame is read: the client has half-closed, or `stop` was called.
    """

    def __init__(
        self,
        ledger: Ledger[Arrival, Settled],
        changed: Condition,
        held: Holder,
        tally: Tally,
        limits: ServingLimits,
    ) -> None:
        """Has read nothing yet.

        Args:
            ledger: takes the frames.
            changed: notified of each, and awaited while no more may be read.
            held: the bytes of the frames that the ledger holds.
            tally: counts the frames.
            limits: how many may be held.
        """
        self.is_over = False
        self._ledger = ledger
        self._changed = changed
        self._held = held
        self._tally = tally
        self._limits = limits
        self._resumed_after = 0
        self._idle_since_s: float | None = None  # None: not open yet

    @property
    def idle_s(self) -> float:
        """Seconds since the last frame was read; 0 if the stream is opening, ending, or has a frame to answer."""
        if self._idle_since_s is None or self.is_over or self._ledger.outstanding:
            return 0.0
        return time.perf_counter() - self._idle_since_s

    def open(self, after_sequence: int) -> None:
        """Begins a stream; frames up to `after_sequence` were accounted for by the stream that it resumes."""
        self._ledger.go_on_after(after_sequence)
        self._resumed_after = after_sequence
        self._idle_since_s = time.perf_counter()

    def stop(self) -> None:
        """Ends the reading; a call of `read` is to be cancelled."""
        self.is_over = True
        self._changed.notify()

    async def read(self, inputs: AsyncIterator[StreamInput], plan: StreamPlan) -> None:
        """Reads to the end of the inputs.

        Raises:
            OutOfOrder: an input is not a frame, or a sequence does not increase.
        """
        async for frame in inputs:
            if not isinstance(frame, Frame):
                raise OutOfOrder("every message of a stream but the first carries a frame")
            self._idle_since_s = time.perf_counter()
            if 0 < frame.sequence <= self._resumed_after:
                continue  # the client did not know yet that it was accounted for
            self._held.take(frame.byte_count)
            self._ledger.admit(frame.sequence, Arrival(frame, time.perf_counter()))
            self._resumed_after = 0
            self._tally.read(frame)
            size_bytes = frame.byte_count
            del frame  # it may be superseded long before the next one comes
            has_superseded = plan.newest_wins and self._ledger.waiting > 1
            if has_superseded:
                self._ledger.skip_superseded()
            self._changed.notify()
            if has_superseded:
                await asyncio.sleep(max(1 / _SKIPPED_PER_S, size_bytes / _SKIPPED_BYTES_PER_S))
            await self._until_one_more_may_be_read(plan)
        self.stop()

    async def _until_one_more_may_be_read(self, plan: StreamPlan) -> None:
        limits, ledger = self._limits, self._ledger
        await self._changed.until(
            lambda: (
                ledger.unsent < limits.max_waiting_answers
                and (plan.newest_wins or ledger.outstanding < limits.max_in_flight)
            )
        )
        await self._held.until_room()
