"""A stream in asyncio: as `facewire._sync.stream`, with a task that sends instead of a thread."""

import asyncio
import contextlib
import time
import weakref
from collections import deque
from typing import Self

import grpc

from facewire._aio.cancelling import is_task_cancelled
from facewire._aio.feed import AsyncFeed, Frames, as_async
from facewire._aio.opened import AsyncOpened
from facewire._aio.stream_call import AsyncStreamCall
from facewire._aio.threads import metadata_of
from facewire._values.errors import FacewireError
from facewire._values.results import Advice, FrameResult, FramesSkipped, StreamLimits
from facewire._values.tracks import TrackEvent
from facewire._wire.address import Address
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.reopening import Reopening, lacked_frames
from facewire._wire.responses import Responses
from facewire._wire.resuming import Resuming
from facewire._wire.retries import Deadline, Retries
from facewire.v1 import recognition_pb2

__all__ = ["AsyncStream"]


class AsyncStream(AsyncOpened):
    """A stream: an asynchronous iterator of `FrameResult`, `FramesSkipped` and `TrackEvent`.

    It opens with the first result asked for, or with `async with`, which also closes it.
    If it is left without either (`break`), it is cancelled when it is collected as garbage.
    Everything else is as in `Stream`.
    """

    def __init__(
        self,
        address: Address,
        config: recognition_pb2.StreamConfig,
        frames: Frames,
        *,
        timeout_s: float,
        reopening: Reopening,
    ) -> None:
        self._address = address
        self._resuming = Resuming(config)
        every_frame = config.frame_policy == recognition_pb2.FRAME_POLICY_EVERY_FRAME
        self._feed = AsyncFeed(as_async(frames), resends=every_frame)
        self._timeout_s = timeout_s
        self._responses = Responses(address.target, frames)
        self._reopening = reopening
        self._limits: StreamLimits | None = None
        self._call: AsyncStreamCall | None = None
        self._broken_by: FacewireError | None = None
        self._reopens_at_s = 0.0
        self._lost: deque[FramesSkipped] = deque()
        self._closed = asyncio.Event()
        # Also if the stream was dropped: its tasks and its call do not keep it alive.
        weakref.finalize(self, self._feed.let_go)

    @property
    def limits(self) -> StreamLimits:
        """The server's limits for this stream; those of the last one if it was opened again.

        Raises:
            ValueError: the stream is not open yet.
        """
        if self._limits is None:
            raise ValueError("the stream is not open yet: use `async with`")
        return self._limits

    @property
    def advice(self) -> Advice | None:
        """The server's last advice to this camera, or None."""
        return self._responses.advice

    @property
    def reopen_count(self) -> int:
        """How often it was opened again."""
        return self._reopening.count

    async def open(self) -> Self:
        """Opens the stream, if it is not open.

        Raises:
            ValueError: the stream is closed.
            FacewireError: as of `Client.stream`.
        """
        while self._call is None and not self._closed.is_set():
            try:
                await self._connect()
            except FacewireError as error:
                await self._break_off(error)
        if self._closed.is_set():
            raise ValueError("this stream is closed")
        return self

    async def close(self) -> None:
        """Cancels the stream. May be called again, and from another task."""
        self._closed.set()
        self._feed.let_go()
        if self._call is not None:
            await self._call.cancel()

    async def __anext__(self) -> FrameResult | FramesSkipped | TrackEvent:
        while not (self._lost or self._closed.is_set()):
            try:
                if self._call is None:
                    await self._connect()
                    continue  # frames may have been lost meanwhile
                result = self._responses.read(await self._receive(self._call))
            except FacewireError as error:
                await self._break_off(error)
                continue
            if result is not None:
                self._feed.give_back(result.frame_count)
                self._reopening.progressed()
                return result
        if self._lost:
            return self._lost.popleft()
        raise StopAsyncIteration

    async def _receive(self, call: AsyncStreamCall) -> recognition_pb2.StreamRecognizeResponse:
        try:
            response: recognition_pb2.StreamRecognizeResponse = await anext(call.responses)
            return response
        except (StopAsyncIteration, grpc.RpcError):
            pass
        except asyncio.CancelledError:
            if self._closed.is_set() and not is_task_cancelled():  # closed by another task
                raise StopAsyncIteration from None
            await self.close()
            raise
        if self._closed.is_set():
            raise StopAsyncIteration
        status = await call.ending.status()
        if status.code() is not grpc.StatusCode.OK:
            raise error_from_rpc(status, target=self._address.target) from status
        if self._feed.error is None:
            self._responses.check_end(self._feed)
        await self._finish()
        raise StopAsyncIteration

    async def _break_off(self, error: FacewireError) -> None:
        """Lets go of the call; the next one opens after a pause.

        Raises:
            FacewireError: the error, if it ends the stream.
        """
        if self._resuming.is_ending and not self._closed.is_set():
            await self._let_go()
            await self._finish()  # without the last events
            return
        is_own = error is self._feed.error  # of the caller's frames
        if is_own or self._closed.is_set() or not self._reopening.goes_on(error):
            await self.close()
            raise error
        await self._let_go()
        self._note_lost()
        self._broken_by = error
        self._reopens_at_s = time.monotonic()
        if not self._feed.is_done:
            self._reopens_at_s += self._reopening.pause_s(error)

    async def _let_go(self) -> None:
        if self._call is not None:
            self._dropped.detach()
            call, self._call = self._call, None
            await call.cancel()

    def _note_lost(self) -> None:
        self._note(self._feed.break_off())

    def _note(self, lost: FramesSkipped | None) -> None:
        if lost is not None:
            self._lost.append(lost)

    async def _wait_to_reopen(self, error: FacewireError) -> None:
        """Waits for the end of the pause, and for a frame if the stream had ended for want of one."""
        await self._pause(max(0.0, self._reopens_at_s - time.monotonic()))
        self._note_lost()  # what was pulled during the pause
        if self._limits is not None and lacked_frames(error):
            await self._feed.wait_for_frame(self._closed)

    async def _pause(self, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), pause_s)

    async def _connect(self) -> None:
        """Opens a call, unless the stream was closed, also while it opens, or has nothing more to do."""
        if self._broken_by is not None:
            reported = len(self._lost)
            await self._wait_to_reopen(self._broken_by)
            if len(self._lost) > reported:
                return  # which is said before what the new call may raise
            if self._feed.is_done and not self._resuming.begins_to_end():
                await self._finish()
        deadline = Deadline(self._timeout_s)
        retries = Retries(deadline, self._address.token)
        while not self._closed.is_set():
            metadata = await metadata_of(self._address)
            self._responses.begin()
            self._call = call = AsyncStreamCall(self._address, metadata, self._feed)
            self._dropped = weakref.finalize(self, call.let_go)
            try:
                self._limits, lost = await call.open(self._resuming.config(), deadline)
            except BaseException as error:
                await self._let_go()
                is_left = isinstance(error, asyncio.CancelledError) and is_task_cancelled()
                if self._closed.is_set() and not is_left:  # another task has cancelled the call
                    break
                if not isinstance(error, FacewireError):
                    raise
                if self._resuming.is_refused(error):
                    continue
                pause_s = retries.pause_s(error)
                if pause_s is None or self._resuming.is_ending:
                    raise
                await self._pause(pause_s)
            else:
                self._note(lost)
                self._resuming.opened(self._limits)
                self._reopening.opened()
                return

    async def _finish(self) -> None:
        """Ends the iteration: all frames are accounted for, or their source has failed."""
        await self.close()
        if self._feed.error is not None:
            raise self._feed.error
