"""A stream in asyncio: as `facewire._sync.stream`, with a task that sends instead of a thread."""

import asyncio
import contextlib
import weakref
from types import TracebackType
from typing import Any, Self

import grpc
from grpc import aio

from facewire._aio.channel import connect
from facewire._aio.ending import Ending
from facewire._aio.feed import AsyncFeed, Frames, as_async, send
from facewire._values.errors import FacewireError
from facewire._values.results import Advice, FrameResult, FramesSkipped, StreamLimits
from facewire._wire.address import Address
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.read_results import read_stream_limits
from facewire._wire.responses import Responses, not_started, too_late
from facewire._wire.retries import Deadline, Retries
from facewire.v1 import recognition_pb2, recognition_pb2_grpc

__all__ = ["AsyncStream"]


class AsyncStream:
    """A stream: an asynchronous iterator of `FrameResult` and `FramesSkipped`.

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
    ) -> None:
        self._address = address
        self._config = config
        self._frames = as_async(frames)
        self._timeout_s = timeout_s
        self._responses = Responses(address.target, frames)
        self._call: _Call | None = None
        self._closed = asyncio.Event()

    @property
    def limits(self) -> StreamLimits:
        """The server's limits for this stream.

        Raises:
            ValueError: the stream is not open yet.
        """
        if self._call is None or self._call.limits is None:
            raise ValueError("the stream is not open yet: use `async with`")
        return self._call.limits

    @property
    def advice(self) -> Advice | None:
        """The server's last advice to this camera, or None."""
        return self._responses.advice

    async def open(self) -> Self:
        """Opens the stream, if it is not open.

        Raises:
            ValueError: the stream is closed.
            FacewireError: as of `Client.stream`.
        """
        if self._call is None:
            await self._connect()
        if self._closed.is_set():
            raise ValueError("this stream is closed")
        return self

    async def close(self) -> None:
        """Cancels the stream. May be called again, and from another task."""
        self._closed.set()
        if self._call is not None:
            await self._call.cancel()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FrameResult | FramesSkipped:
        if self._call is None:
            await self._connect()
        while not self._closed.is_set() and self._call is not None:
            result = self._responses.read(await self._receive(self._call))
            if result is not None:
                self._call.feed.give_back(result.frame_count)
                return result
        raise StopAsyncIteration

    async def _receive(self, call: "_Call") -> recognition_pb2.StreamRecognizeResponse:
        try:
            response: recognition_pb2.StreamRecognizeResponse = await anext(call.responses)
            return response
        except (StopAsyncIteration, grpc.RpcError):
            pass
        except asyncio.CancelledError:
            if self._closed.is_set():  # by another task
                raise StopAsyncIteration from None
            await self.close()
            raise
        if self._closed.is_set():
            raise StopAsyncIteration
        status = await call.ending.status()
        await self.close()
        if status.code() is not grpc.StatusCode.OK:
            raise error_from_rpc(status, target=self._address.target) from status
        self._responses.check_end(call.feed)
        raise StopAsyncIteration

    async def _connect(self) -> None:
        """Opens the stream, unless it was closed, also while it opens."""
        retries = Retries(deadline := Deadline(self._timeout_s))
        while self._call is None and not self._closed.is_set():
            self._call = call = _Call(self._address)
            # Also if the stream was dropped: its task and its call do not keep it alive.
            weakref.finalize(self, call.let_go)
            try:
                await call.open(self._config, deadline)
                call.start(self._frames)
            except BaseException as error:
                await call.cancel()
                if self._closed.is_set():  # by another task, which cancelled the call
                    return
                pause_s = retries.pause_s(error) if isinstance(error, FacewireError) else None
                self._call = None
                if pause_s is None:
                    raise
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), pause_s)


class _Call:
    """An open call with its channel and feed."""

    def __init__(self, address: Address) -> None:
        self.feed = AsyncFeed()
        self.limits: StreamLimits | None = None
        self._channel: aio.Channel = connect(address)
        stub: Any = recognition_pb2_grpc.RecognitionServiceStub(self._channel)
        self._target = address.target
        self._call = stub.StreamRecognize(metadata=address.metadata)
        self._sending: asyncio.Task[None] | None = None
        self.ending = Ending(self._call)
        # Not `read`, which stops reading once the call's end has interrupted a write.
        self.responses = aiter(self._call)

    async def open(self, config: recognition_pb2.StreamConfig, deadline: Deadline) -> None:
        """Sends the config and waits for the server's limits."""
        try:
            # A deadline of gRPC would be the whole stream's.
            async with asyncio.timeout(deadline.left_s):
                await self._call.write(recognition_pb2.StreamRecognizeRequest(config=config))
                first = await anext(self.responses)
        except TimeoutError:
            raise too_late(self._target, deadline) from None
        except StopAsyncIteration:
            raise not_started(self._target) from None
        except (grpc.RpcError, asyncio.InvalidStateError):
            status = await self.ending.status()
            raise error_from_rpc(status, target=self._target) from status
        if first.WhichOneof("message") != "started":
            raise not_started(self._target)
        self.limits = read_stream_limits(first.started)

    def start(self, frames: Any) -> None:
        """Lets the frames be sent."""
        assert self.limits is not None, "opened before"
        self.feed.start(self.limits)
        self._sending = asyncio.create_task(send(self._call, frames, self.feed))

    def let_go(self) -> None:
        """Ends the call and the sending. May be called again."""
        self._call.cancel()
        self.feed.close()
        if self._sending is not None:
            self._sending.cancel()

    async def cancel(self) -> None:
        """Ends the connection, too. May be called again."""
        self.let_go()
        await self._channel.close(None)
