"""One camera's stream: reads frames, works on them, answers; the only concurrency of the wire.

Four kinds of tasks share a `Ledger` and wake each other by a `Condition`:

    reader:  request -> ledger.admit    workers:  turn -> ledger.begin -> answer -> ledger.settle
    sender:  ledger.take -> response    expirer:  overdue -> ledger.begin -> ledger.settle

What holds, whatever the client does:

* Every frame read is accounted for exactly once, in order: the ledger's invariants.
* A frame is begun only when its turn has come. So of the frames that wait, the newest at that
  moment is worked on (NEWEST_WINS), and no stream waits with more than `frames_at_once` frames.
* A frame that no turn came for within `frame_timeout_s` of its arrival is answered TIMED_OUT.
* Memory is bounded: at most `frames_at_once` frames in work, one waiting (NEWEST_WINS) or
  `max_in_flight` (EVERY_FRAME), `max_waiting_answers` answers. Beyond, the reader stops, and
  transport flow control stops the client.
* After the half-close (`incoming` says when it is one) the reader is done, the workers finish,
  the sender empties the ledger and the stream ends with OK.
* `drain` ends the reading instead: what waits is skipped, what is in work is finished and
  answered, `Reconnect` is the last message.
* Tasks never outlive `run`: a failure or cancellation of one, or of the call, cancels all.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, TypeAlias

from facewire.v1 import recognition_pb2
from facewire_server.errors import OutOfOrder, ShuttingDown, TimedOut
from facewire_server.pipeline.detect import useful_longest_side
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.rpc.convert import picture
from facewire_server.rpc.convert_recognition import (
    FrameError,
    advice_message,
    frame_error_message,
    frame_message,
    reconnect_message,
    skipped_message,
    started_message,
    stream_plan,
)
from facewire_server.streams.ledger import Ledger, Skipped, SkipReason
from facewire_server.streams.limits import RequestDefaults, ServingLimits, StreamPlan
from facewire_server.streams.pace import PaceRule
from facewire_server.types import PictureLimits
from facewire_server.work.condition import Condition
from facewire_server.work.deadline import time_limit
from facewire_server.work.slots import WorkSlots
from facewire_server.work.within import read_within

__all__ = ["Session"]

Request: TypeAlias = recognition_pb2.StreamRecognizeRequest
Response: TypeAlias = recognition_pb2.StreamRecognizeResponse
Write: TypeAlias = Callable[[Response], Awaitable[None]]


class _Arrival(NamedTuple):
    frame: recognition_pb2.Frame
    read_at_s: float


class Session:
    """The policy of one stream, from its config to its end."""

    def __init__(
        self,
        recognizer: Recognizer,
        check_gallery: Callable[[str], Awaitable[None]],
        turns: WorkSlots,
        *,
        terms: ServingLimits,
        defaults: RequestDefaults,
        limits: PictureLimits,
    ) -> None:
        """Prepares a stream.

        Args:
            recognizer: answers frames.
            check_gallery: raises GalleryNotFound or ModelContractMismatch for a gallery of this id.
            turns: shared by all streams and calls.
            terms: how streams are served.
            defaults: what a config that says nothing gets.
            limits: told to the camera.
        """
        self._recognizer = recognizer
        self._check_gallery = check_gallery
        self._turns = turns
        self._terms = terms
        self._defaults = defaults
        self._limits = limits
        self._ledger: Ledger[_Arrival, Response] = Ledger(max_in_flight=terms.max_in_flight)
        self._moved = Condition()
        self._reading: asyncio.Task[object] | None = None
        self._all_read = False
        self._draining = False
        self._useful_side_px = 0

    async def run(self, requests: AsyncIterator[Request], write: Write) -> None:
        """Serves the stream to its end.

        Args:
            requests: ends when the client has half-closed.
            write: sends one message; waits while the client does not read.

        Raises:
            ServerError: the stream ends with its status.
        """

        async def patient(message: Response) -> None:
            async with read_within(self._terms.slow_reader_timeout_s):
                await write(message)

        plan = await self._open(requests)
        await patient(
            started_message(self._terms, self._limits, self._recognizer.model_contract_id)
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                self._reading = tasks.create_task(self._read(requests, plan))
                if self._draining:
                    self._reading.cancel()
                workers = [
                    tasks.create_task(self._work(plan)) for _ in range(self._terms.frames_at_once)
                ]
                expirer = tasks.create_task(self._expire())
                await self._send(patient)
                # All is accounted for. A worker may still wait for a turn that it needs no more.
                for task in (*workers, expirer):
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        if self._draining:
            await patient(reconnect_message(self._terms.reconnect_after_ms))

    def drain(self) -> None:
        """Reads no more and begins no more frames; `run` then ends by itself.

        A stream that is half-closed is ending already and is answered in full.
        """
        if self._all_read:
            return
        self._all_read = self._draining = True
        self._ledger.skip_all()
        if self._reading is not None:
            self._reading.cancel()
        self._moved.notify()

    async def _open(self, requests: AsyncIterator[Request]) -> StreamPlan:
        opening = asyncio.ensure_future(self._read_config(requests))
        self._reading = opening
        try:
            return await opening
        except asyncio.CancelledError:
            call = asyncio.current_task()
            if self._draining and not (call and call.cancelling()):
                raise ShuttingDown("the server is shutting down") from None
            raise

    async def _read_config(self, requests: AsyncIterator[Request]) -> StreamPlan:
        try:
            async with asyncio.timeout(self._terms.config_timeout_s):
                first = await anext(requests, None)
        except TimeoutError:  # or streams that say nothing would keep others out
            raise TimedOut(f"no config came within {self._terms.config_timeout_s:g} s") from None
        if first is None or first.WhichOneof("message") != "config":
            raise OutOfOrder("the first message of a stream carries its config")
        plan = stream_plan(first.config, self._defaults)
        await self._check_gallery(plan.gallery_id)
        return plan

    async def _read(self, requests: AsyncIterator[Request], plan: StreamPlan) -> None:
        async for request in requests:
            if request.WhichOneof("message") != "frame":
                raise OutOfOrder("every message of a stream but the first carries a frame")
            arrival = _Arrival(request.frame, time.perf_counter())
            self._ledger.admit(request.frame.sequence, arrival)
            if plan.newest_wins:
                self._ledger.skip_superseded()
            self._moved.notify()
            await self._room(plan)
        self._all_read = True
        self._moved.notify()

    async def _room(self, plan: StreamPlan) -> None:
        """Waits until one more frame may be read."""
        terms, ledger = self._terms, self._ledger
        await self._moved.until(
            lambda: (
                ledger.answers_waiting < terms.max_waiting_answers
                and (plan.newest_wins or ledger.outstanding < terms.max_in_flight)
            )
        )

    async def _work(self, plan: StreamPlan) -> None:
        while True:
            await self._moved.until(lambda: self._ledger.has_waiting or self._all_read)
            if not self._ledger.has_waiting:
                return
            async with self._turns.slot():
                slot = self._ledger.begin()
                # None: the stream's other worker took the frame, or it was skipped meanwhile.
                if slot is not None and slot.frame is not None:
                    self._ledger.settle(slot, await self._answer(slot.frame, plan))
                    self._moved.notify()

    async def _expire(self) -> None:
        """Answers frames whose time ends while they wait for a turn."""
        while True:
            await self._moved.until(lambda: self._ledger.has_waiting)
            sequence, left_s = self._due()
            await asyncio.sleep(left_s)
            if self._due()[0] != sequence:  # it was begun, or skipped
                continue
            slot = self._ledger.begin()
            if slot is not None and slot.frame is not None:
                late = TimedOut("the server was too busy to look at the frame in its time")
                self._ledger.settle(slot, frame_error_message(slot.frame.frame, late))
                self._moved.notify()

    def _due(self) -> tuple[int, float]:
        """Sequence of the next waiting frame, and what is left of its time; (0, 0) for none.

        The frame itself is not kept: it may be superseded long before its time ends.
        """
        slot = self._ledger.next_waiting
        if slot is None or slot.frame is None:
            return 0, 0.0
        return slot.sequence, self._left_s(slot.frame)

    async def _answer(self, arrival: _Arrival, plan: StreamPlan) -> Response:
        frame, read_at_s = arrival
        queue_s = time.perf_counter() - read_at_s
        try:
            async with time_limit(self._left_s(arrival)):
                recognition = await self._recognizer.recognize(
                    picture(frame.image, "frame.image"),
                    plan.gallery_id,
                    plan.detection,
                    plan.decision,
                )
        except FrameError as error:
            return frame_error_message(frame, error)
        self._useful_side_px = useful_longest_side(
            recognition.width_px, recognition.height_px, plan.detection
        )
        recognition.timings.queue_s = queue_s
        recognition.timings.total_s += queue_s
        return frame_message(frame, recognition)

    def _left_s(self, arrival: _Arrival) -> float:
        """What is left of a frame's time."""
        return max(0.0, arrival.read_at_s + self._terms.frame_timeout_s - time.perf_counter())

    async def _send(self, write: Write) -> None:
        pace = PaceRule(time.perf_counter())
        while True:
            await self._moved.until(
                lambda: self._ledger.has_next or (self._all_read and not self._ledger.outstanding)
            )
            entry = self._ledger.take()
            if entry is None:
                return
            self._moved.notify()
            if not isinstance(entry, Skipped):
                pace.count(answered=1)
                await write(entry)
            else:
                if entry.reason is not SkipReason.SHUTTING_DOWN:
                    pace.count(skipped=entry.frame_count)
                await write(skipped_message(entry))
            if (target_fps := pace.due(time.perf_counter())) is not None:
                await write(advice_message(target_fps, self._useful_side_px))
