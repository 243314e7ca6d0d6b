"""One camera's stream: reads frames, works on them, sends the outcome of each. Knows no protocol.

Four kinds of tasks share a `Ledger` and wake each other by a `Condition`:

    reader:  frame -> ledger.admit      workers:  slot -> ledger.begin -> work -> ledger.settle
    sender:  ledger.take -> send        expirer:  overdue -> ledger.begin -> ledger.settle

Invariants, whatever the client does:

* Every frame read is accounted for exactly once, in order: the ledger's invariants.
* A worker begins a frame only while it holds a work slot. So of the frames that wait, the newest at
  that moment is worked on (NEWEST_WINS). A stream waits for one slot at a time.
* A frame that gets no slot within `picture_timeout_s` of its arrival is answered with TimedOut.
* Memory is bounded: at most `frames_at_once` frames in work, one waiting (NEWEST_WINS) or
  `max_in_flight` (EVERY_FRAME), `max_waiting_answers` answers, and of the bytes of all streams'
  frames an equal share. Beyond, the reader stops, and the transport's flow control stops the client.
* When the inputs end, the workers finish, the sender empties the ledger and `run` returns.
* `drain` ends the reading instead: waiting frames are skipped, frames in work are finished and
  answered, and `Reconnect` is sent last.
* Tasks never outlive `run`: a failure or cancellation of one, or of the caller, cancels all.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

from facewire_server.errors import OutOfOrder, ShuttingDown
from facewire_server.events import Emit, ignore
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.streams.expiry import expire
from facewire_server.streams.frame_work import FrameWork
from facewire_server.streams.ledger import Ledger
from facewire_server.streams.limits import ServingLimits
from facewire_server.streams.opening import read_plan
from facewire_server.streams.pace import PaceRule
from facewire_server.streams.tally import Arrival, SessionStatistics, Settled, Tally
from facewire_server.streams.values import (
    Advice,
    Frame,
    Reconnect,
    ReconnectReason,
    Started,
    StreamInput,
    StreamOutput,
    StreamPlan,
)
from facewire_server.work.condition import Condition
from facewire_server.work.held_bytes import ByteBudget, Holder
from facewire_server.work.slots import Flow, WorkSlots
from facewire_server.work.within import read_within

__all__ = ["Send", "Session"]

Send: TypeAlias = Callable[[StreamOutput], Awaitable[None]]
"""Sends one value to the client; waits while the client does not read."""


class Session:
    """The policy of one stream, from its plan to its end."""

    def __init__(
        self,
        recognizer: Recognizer,
        check_gallery: Callable[[str], Awaitable[None]],
        slots: WorkSlots,
        frame_bytes: ByteBudget,
        *,
        limits: ServingLimits,
        client: str = "",
        emit: Emit = ignore,
    ) -> None:
        """Prepares a stream.

        Args:
            recognizer: works on frames.
            check_gallery: raises GalleryNotFound or ModelContractMismatch if the gallery of this id cannot be searched.
            slots: shared by all streams and calls.
            frame_bytes: shared by all streams.
            limits: what a client may ask for.
            client: whose streams wait for what those before have had.
            emit: takes a `FrameRead` of each frame, and a `FrameAccounted` or `FramesSkipped`.
        """
        self._frame_work = FrameWork(
            recognizer, limits=limits.frame, picture_timeout_s=slots.picture_timeout_s
        )
        self._check_gallery = check_gallery
        self._slots = slots
        self._client = client
        self._is_in_queue = False
        self._held = Holder(frame_bytes)
        self._limits = limits
        self._ledger: Ledger[Arrival, Settled] = Ledger(
            max_in_flight=limits.max_in_flight,
            let_go=lambda arrival: self._held.give_back(arrival.frame.byte_count),
        )
        self._changed = Condition()
        self._reading: asyncio.Task[object] | None = None
        self._all_read = False
        self._leaving: ReconnectReason | None = None
        self._idle_since_s: float | None = None  # None: not open yet
        self._tally = Tally(emit)

    async def run(self, inputs: AsyncIterator[StreamInput], send: Send) -> None:
        """Serves the stream to its end.

        Args:
            inputs: a plan, then frames; ends when the client has half-closed.
            send: sends one value.

        Raises:
            ServerError: the stream ends with this error.
        """

        async def send_in_time(value: StreamOutput) -> None:
            async with read_within(self._limits.slow_reader_timeout_s):
                await send(value)

        plan = await self._open(inputs)
        self._idle_since_s = time.perf_counter()
        await send_in_time(Started())
        try:
            with self._held, self._slots.stream(self._client) as flow:
                async with asyncio.TaskGroup() as tasks:
                    self._reading = tasks.create_task(self._read(inputs, plan))
                    if self._leaving:
                        self._reading.cancel()
                    workers = [
                        tasks.create_task(self._work(plan, flow))
                        for _ in range(self._limits.frames_at_once)
                    ]
                    expirer = tasks.create_task(
                        expire(self._ledger, self._changed, self._frame_work.left_s)
                    )
                    await self._send(send_in_time)
                    # Every frame is accounted for. A worker may still wait for a slot that it no longer needs.
                    for task in (*workers, expirer):
                        task.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        if self._leaving:
            await send_in_time(Reconnect(self._limits.reconnect_pause_ms(), self._leaving))

    @property
    def has_given_way(self) -> bool:
        """Whether another stream has taken its place, so that it ends."""
        return self._leaving is ReconnectReason.IDLE

    @property
    def idle_s(self) -> float:
        """Seconds since the last frame was read; 0 if the stream is opening, ending, or has a frame to answer."""
        if self._idle_since_s is None or self._all_read or self._ledger.outstanding:
            return 0.0
        return time.perf_counter() - self._idle_since_s

    def drain(self, reason: ReconnectReason = ReconnectReason.SHUTTING_DOWN) -> None:
        """Stops reading, and begins no further frames; `run` then returns by itself.

        A stream whose inputs have ended is ending already and is answered in full.
        """
        if self._all_read:
            return
        self._all_read = True
        self._leaving = reason
        self._ledger.skip_all()
        if self._reading is not None:
            self._reading.cancel()
        self._changed.notify()

    def statistics(self) -> SessionStatistics:
        """Returns the stream's counts now."""
        return SessionStatistics(
            camera_id=self._tally.camera_id,
            is_read_to_end=self._all_read,
            byte_count=self._tally.byte_count,
            outstanding=self._ledger.outstanding,
            waiting=self._ledger.waiting,
            unsent=self._ledger.unsent,
            recognized=self._tally.recognized,
            failed=dict(self._tally.failed),
            skipped=dict(self._tally.skipped),
            median_s=self._tally.median_s,
        )

    async def _open(self, inputs: AsyncIterator[StreamInput]) -> StreamPlan:
        opening = asyncio.ensure_future(
            read_plan(inputs, self._check_gallery, timeout_s=self._limits.config_timeout_s)
        )
        self._reading = opening
        try:
            plan = await opening
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if self._leaving and not (caller and caller.cancelling()):
                raise ShuttingDown("the server is shutting down") from None
            raise
        self._tally.camera_id = plan.camera_id
        return plan

    async def _read(self, inputs: AsyncIterator[StreamInput], plan: StreamPlan) -> None:
        async for frame in inputs:
            if not isinstance(frame, Frame):
                raise OutOfOrder("every message of a stream but the first carries a frame")
            self._idle_since_s = time.perf_counter()
            self._held.take(frame.byte_count)
            self._ledger.admit(frame.sequence, Arrival(frame, time.perf_counter()))
            self._tally.read(frame)
            del frame  # it may be superseded long before the next one comes
            if plan.newest_wins:
                self._ledger.skip_superseded()
            self._changed.notify()
            await self._until_one_more_may_be_read(plan)
        self._all_read = True
        self._changed.notify()

    async def _until_one_more_may_be_read(self, plan: StreamPlan) -> None:
        limits, ledger = self._limits, self._ledger
        await self._changed.until(
            lambda: (
                ledger.unsent < limits.max_waiting_answers
                and (plan.newest_wins or ledger.outstanding < limits.max_in_flight)
            )
        )
        await self._held.until_room()

    async def _work(self, plan: StreamPlan, flow: Flow) -> None:
        ledger = self._ledger
        while True:
            await self._changed.until(
                lambda: not self._is_in_queue if ledger.has_waiting else self._all_read
            )
            if not ledger.has_waiting:
                return
            self._is_in_queue = True
            async with self._slots.slot(flow) as slot:
                self._is_in_queue = False
                entry = ledger.begin()
                self._changed.notify()
                # None: the frame has expired, or was skipped.
                if entry is not None and entry.frame is not None:
                    ledger.settle(entry, await self._frame_work.outcome(entry.frame, plan, slot))
                    self._changed.notify()

    async def _send(self, send: Send) -> None:
        pace = PaceRule(time.perf_counter())
        while True:
            await self._changed.until(
                lambda: self._ledger.has_next or (self._all_read and not self._ledger.outstanding)
            )
            entry = self._ledger.take()
            if entry is None:
                return
            value = self._tally.account(entry)
            pace.count(value)
            self._changed.notify()
            await send(value)
            if (target_fps := pace.due(time.perf_counter())) is not None:
                await send(Advice(target_fps, self._frame_work.useful_side_px))
