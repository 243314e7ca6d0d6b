"""Works on the frames of one stream, one at a time and in order, and does what its camera has to do without a frame."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from facewire_server.streams.camera.camera import Camera
from facewire_server.streams.frame_work import FRAME_ERRORS, FrameWork
from facewire_server.streams.ledger import Entry, Ledger
from facewire_server.streams.outbox import Outbox
from facewire_server.streams.tally import Settled
from facewire_server.streams.values import Arrival
from facewire_server.work.condition import Condition
from facewire_server.work.slots import Flow, WorkSlots

__all__ = ["Worker"]


class Worker:
    """The two tasks that use a stream's camera, which takes one call at a time.

    A slot is held while a frame is worked on, and no longer: the camera is waited for before, the journal after. So a
    journal whose disk is slow delays its own streams, and takes no slot from other streams and calls.
    """

    def __init__(
        self,
        camera: Camera,
        frame_work: FrameWork,
        outbox: Outbox,
        ledger: Ledger[Arrival, Settled],
        changed: Condition,
    ) -> None:
        """Prepares the tasks of a stream.

        Args:
            camera: of the stream.
            frame_work: has the camera work on a frame.
            outbox: records the camera's events.
            ledger: of the frames.
            changed: notified at every change of ledger and outbox.
        """
        self._camera = camera
        self._frame_work = frame_work
        self._outbox = outbox
        self._ledger = ledger
        self._changed = changed
        self._camera_in_use = asyncio.Lock()

    async def work(self, slots: WorkSlots, flow: Flow, *, is_over: Callable[[], bool]) -> None:
        """Works on frames until no further one comes.

        Args:
            slots: shared by all streams and calls.
            flow: of the stream.
            is_over: whether no further frame is read.

        Raises:
            ServerError: the stream cannot go on.
        """
        ledger = self._ledger
        while True:
            await self._changed.until(lambda: ledger.has_waiting or is_over())
            if not ledger.has_waiting:
                return
            async with self._camera_in_use:
                if worked_on := await self._work_on_next(slots, flow):
                    entry, outcome = worked_on
                    await self._outbox.record()
                    ledger.settle(entry, outcome._replace(events=self._outbox.take()))
            self._changed.notify()

    async def _work_on_next(
        self, slots: WorkSlots, flow: Flow
    ) -> tuple[Entry[Arrival, Settled], Settled] | None:
        """Works on the next frame as soon as there is a slot; returns None if none waits any more: it has expired, or was skipped."""
        async with slots.slot(flow) as slot:
            entry = self._ledger.begin()
            self._changed.notify()
            if entry is None or entry.frame is None:
                return None
            return entry, await self._frame_work.outcome(entry.frame, slot)

    async def refresh(self, every_s: float) -> NoReturn:
        """Lets the camera do what is due without a frame, until it is cancelled.

        Raises:
            ServerError: the stream cannot go on.
        """
        while True:
            await asyncio.sleep(every_s)
            async with self._camera_in_use:
                with suppress(*FRAME_ERRORS):
                    await self._camera.refresh(is_idle=not self._ledger.outstanding)
                await self._outbox.record()
                await self._outbox.save()
            self._changed.notify()
