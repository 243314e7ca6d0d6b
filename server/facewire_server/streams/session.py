"""One camera's stream: reads frames, works on them, sends the outcome of each. Knows no protocol.

Several tasks share a `Ledger` and wake each other by a `Condition`:

    reader:  frame -> ledger.admit      worker:  slot -> ledger.begin -> camera -> journal -> ledger.settle
    sender:  ledger.take -> send        expirer: overdue -> ledger.begin -> ledger.settle
    refresher: camera, without a frame -> events

Invariants, whatever the client does:

* Every frame read is accounted for exactly once, in order: the ledger's invariants. Frames that the stream before had accounted
  for are dropped when they are sent to the one that resumes it.
* Frames are worked on one at a time, in order. The worker begins a frame only while it holds a work slot. So of the frames that
  wait, the newest at that moment is worked on (NEWEST_WINS). It holds the slot neither while the camera is in use nor while the
  journal writes.
* A frame that gets no slot within `picture_timeout_s` of its arrival is answered with TimedOut.
* An event is in the journal before it is sent. Those that a frame caused are sent right before its answer.
* The journal knows that a frame is accounted for before the client does, so that none is accounted for twice.
* Memory is bounded: one frame in work, one waiting (NEWEST_WINS) or `max_in_flight` (EVERY_FRAME), `max_waiting_answers` answers
  with their events, and of the bytes of all streams' frames an equal share. Beyond, the reader stops, and the transport's flow
  control stops the client.
* When the inputs end, the worker finishes, the sender empties the ledger, the tracks are ended, and `run` returns.
* `drain` ends the reading instead: the frame in work is finished and answered, so are those that wait (EVERY_FRAME), or they are
  skipped (NEWEST_WINS), and `Reconnect` is sent last. The tracks stay open, so that the stream can be resumed; so they do after
  any failure, from the moment on at which the journal has opened the stream.
* Tasks never outlive `run`: a failure or cancellation of one, or of the caller, cancels all.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

from facewire_server.errors import ShuttingDown
from facewire_server.events import Emit, ignore
from facewire_server.streams.camera.camera import Camera
from facewire_server.streams.expiry import expire
from facewire_server.streams.frame_work import FrameWork
from facewire_server.streams.journal import Journal
from facewire_server.streams.ledger import Ledger
from facewire_server.streams.limits import ServingLimits
from facewire_server.streams.opening import read_plan
from facewire_server.streams.outbox import Outbox
from facewire_server.streams.reading import Reader
from facewire_server.streams.sending import Send, send_all
from facewire_server.streams.tally import SessionStatistics, Settled, Tally
from facewire_server.streams.values import (
    Arrival,
    Reconnect,
    ReconnectReason,
    Started,
    StreamInput,
    StreamOutput,
    StreamPlan,
)
from facewire_server.streams.working import Worker
from facewire_server.work.condition import Condition
from facewire_server.work.held_bytes import ByteBudget, Holder
from facewire_server.work.slots import WorkSlots
from facewire_server.work.within import read_within

__all__ = ["OpenCamera", "Session"]

OpenCamera: TypeAlias = Callable[[StreamPlan, Callable[[], int]], Camera]
"""Returns the camera of a plan, and of a function that returns ids for its tracks."""


class Session:
    """The policy of one stream, from its plan to its end."""

    def __init__(
        self,
        open_camera: OpenCamera,
        journal: Journal,
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
            open_camera: makes what works on the frames.
            journal: keeps the events, and what the stream can be resumed from.
            check_gallery: raises GalleryNotFound or ModelContractMismatch if the gallery of this id cannot be searched.
            slots: shared by all streams and calls.
            frame_bytes: shared by all streams.
            limits: what a client may ask for.
            client: whose streams wait for what those before have had, and share the places to resume from.
            emit: takes a `FrameRead` of each frame, and a `FrameAccounted` or `FramesSkipped`.
        """
        self._open_camera = open_camera
        self._journal = journal
        self._check_gallery = check_gallery
        self._slots = slots
        self._client = client
        self._held = Holder(frame_bytes)
        self._limits = limits
        self._ledger: Ledger[Arrival, Settled] = Ledger(
            max_in_flight=limits.max_in_flight,
            let_go=lambda arrival: self._held.give_back(arrival.frame.byte_count),
        )
        self._changed = Condition()
        self._reading: asyncio.Task[object] | None = None
        self._plan: StreamPlan | None = None
        self._leaving: ReconnectReason | None = None
        self._can_resume = False
        self._tally = Tally(emit)
        self._reader = Reader(self._ledger, self._changed, self._held, self._tally, limits)

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
        journal = self._journal
        ids = plan.camera_id, plan.gallery_id
        stream = await journal.open_stream(*ids, plan.resume_token, self._client)
        try:
            camera = self._open_camera(plan, journal.new_track_id)
            camera.restore(stream.tracks)
        except BaseException:
            stream.break_off()
            raise
        outbox = Outbox(camera, journal, stream, self._tally)
        try:
            self._reader.open(stream.after_sequence)
            within_ms = round(journal.resume_within_s * 1000) if stream.token else 0
            await send_in_time(Started(stream.token, stream.after_sequence, within_ms))
            self._can_resume = bool(stream.token)
            await self._serve(plan, camera, outbox, inputs, send_in_time)
            if not self._leaving:
                await outbox.end()
                for event in outbox.take():
                    await send_in_time(event)
        finally:
            await outbox.break_off()
        if self._leaving:
            # One that is moved is alone, and another worker waits for it; others return with all the cameras of this server.
            is_moved = self._leaving is ReconnectReason.REBALANCE
            pause_ms = 0 if is_moved else self._limits.reconnect_pause_ms()
            await send_in_time(Reconnect(pause_ms, self._leaving))

    @property
    def has_given_way(self) -> bool:
        """Whether it ends and its place is free: another stream has taken it, or another worker is to serve it."""
        return self._leaving in (ReconnectReason.IDLE, ReconnectReason.REBALANCE)

    @property
    def can_move(self) -> bool:
        """Whether its client can resume it elsewhere, and neither the client nor this server ends it."""
        return self._can_resume and not self._leaving and not self._reader.is_over

    @property
    def idle_s(self) -> float:
        """See `Reader.idle_s`."""
        return self._reader.idle_s

    def drain(self, reason: ReconnectReason = ReconnectReason.SHUTTING_DOWN) -> None:
        """Stops reading; `run` then returns by itself.

        Frames that wait are skipped, unless every frame is wanted. A stream whose inputs have ended is ending already and is
        answered in full.
        """
        if self._reader.is_over:
            return
        self._leaving = reason
        if self._plan is None or self._plan.newest_wins:
            self._ledger.skip_all()
        if self._reading is not None:
            self._reading.cancel()
        self._reader.stop()

    def statistics(self) -> SessionStatistics:
        """Returns the stream's counts now."""
        return SessionStatistics(
            camera_id=self._tally.camera_id,
            is_read_to_end=self._reader.is_over,
            byte_count=self._tally.byte_count,
            outstanding=self._ledger.outstanding,
            waiting=self._ledger.waiting,
            unsent=self._ledger.unsent,
            recognized=self._tally.recognized,
            failed=dict(self._tally.failed),
            skipped=dict(self._tally.skipped),
            searched=self._tally.searched,
            tracks=self._tally.tracks,
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
        self._plan, self._tally.camera_id = plan, plan.camera_id
        return plan

    async def _serve(
        self,
        plan: StreamPlan,
        camera: Camera,
        outbox: Outbox,
        inputs: AsyncIterator[StreamInput],
        send: Send,
    ) -> None:
        """Runs the tasks until every frame is accounted for."""
        reader = self._reader
        frame_work = FrameWork(camera, plan, picture_timeout_s=self._slots.picture_timeout_s)
        worker = Worker(camera, frame_work, outbox, self._ledger, self._changed)
        try:
            with self._held, self._slots.stream(self._client) as flow:
                async with asyncio.TaskGroup() as tasks:
                    self._reading = tasks.create_task(reader.read(inputs, plan))
                    if self._leaving:
                        self._reading.cancel()
                    others = [
                        tasks.create_task(each)
                        for each in (
                            worker.work(self._slots, flow, is_over=lambda: reader.is_over),
                            expire(self._ledger, self._changed, frame_work.left_s),
                            worker.refresh(self._limits.refresh_s),
                            outbox.until_taken_over(),
                        )
                    ]
                    await send_all(
                        self._ledger,
                        outbox,
                        self._changed,
                        self._tally,
                        frame_work,
                        send,
                        is_over=lambda: reader.is_over,
                        events_only=plan.events_only,
                    )
                    # Every frame is accounted for. The worker may still wait for a slot that it no longer needs.
                    for task in others:
                        task.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
