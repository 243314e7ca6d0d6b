"""The feed of track events in asyncio: as `facewire._sync.track_feed`."""

import asyncio
import contextlib
import weakref
from typing import Any, Self

import grpc
from grpc import aio

from facewire._aio.cancelling import is_task_cancelled
from facewire._aio.channel import connect
from facewire._aio.ending import Status
from facewire._aio.opened import AsyncOpened
from facewire._aio.threads import explained, metadata_of
from facewire._values.errors import FacewireError
from facewire._values.tracks import TrackEvent
from facewire._wire.address import Address
from facewire._wire.feed_position import FeedPosition
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.reopening import Reopening
from facewire._wire.responses import too_late
from facewire._wire.retries import Deadline, Retries
from facewire.v1 import recognition_pb2, recognition_pb2_grpc

__all__ = ["AsyncTrackFeed"]


class AsyncTrackFeed(AsyncOpened):
    """The feed of track events: an asynchronous iterator of `TrackEvent`.

    It opens with the first event asked for, or with `async with`, which also closes it.
    Everything else is as in `TrackFeed`.
    """

    def __init__(
        self,
        address: Address,
        request: recognition_pb2.WatchTracksRequest,
        *,
        timeout_s: float,
        reopening: Reopening,
    ) -> None:
        self._address = address
        self._position = FeedPosition(request)
        self._timeout_s = timeout_s
        self._reopening = reopening
        self._call: Any = None
        self._closed = asyncio.Event()

    @property
    def events_lost(self) -> bool:
        """Whether events may be missing: they were no longer kept, or could not be asked for."""
        return self.loss_count > 0

    @property
    def loss_count(self) -> int:
        """How often events may be missing so far: it grows before the event is returned that follows the gap."""
        return self._position.loss_count

    async def open(self) -> Self:
        """Opens the feed, if it is not open: later events are not missed.

        Raises:
            ValueError: the feed is closed.
            FacewireError: as of the iteration.
        """
        while self._call is None and not self._closed.is_set():
            try:
                await self._connect()
            except FacewireError as error:
                await self._break_off(error)
        if self._closed.is_set():
            raise ValueError("this feed is closed")
        return self

    async def close(self) -> None:
        """Ends the feed. May be called again, and from another task."""
        self._closed.set()
        await self._let_go()

    async def __anext__(self) -> TrackEvent:
        while not self._closed.is_set():
            try:
                if self._call is None:
                    await self._connect()
                    continue  # it may have been closed meanwhile
                event = await self._receive(self._call)
            except FacewireError as error:
                await self._break_off(error)
                continue
            if event is not None:
                return event
        raise StopAsyncIteration

    async def _receive(self, call: Any) -> TrackEvent | None:
        try:
            message = await anext(self._messages)
        except StopAsyncIteration:
            if not (self._closed.is_set() or self._position.is_at_end):
                raise self._position.ended(self._address.target) from None
            await self.close()
            raise
        except grpc.RpcError as error:
            if self._closed.is_set():  # by another task
                raise StopAsyncIteration from None
            raise error_from_rpc(error, target=self._address.target) from error
        except asyncio.CancelledError:
            if self._closed.is_set() and not is_task_cancelled():  # closed by another task
                raise StopAsyncIteration from None
            await self.close()
            raise
        self._reopening.progressed()
        return self._position.read(message)

    async def _break_off(self, error: FacewireError) -> None:
        """Lets go of the call, and waits before the next one.

        Raises:
            FacewireError: the error, if it ends the feed.
        """
        if self._closed.is_set() or not self._reopening.goes_on(error):
            await self.close()
            raise error
        await self._let_go()
        await self._pause(self._reopening.pause_s(error))

    async def _let_go(self) -> None:
        if self._call is not None:
            self._dropped.detach()
            call, self._call = self._call, None
            call.cancel()
            await self._channel.close(None)

    async def _pause(self, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), pause_s)

    async def _connect(self) -> None:
        """Makes a call, unless the feed was closed, also while it opens."""
        deadline = Deadline(self._timeout_s)
        retries = Retries(deadline, self._address.token)
        while not self._closed.is_set():
            metadata = await metadata_of(self._address)
            self._channel: aio.Channel = connect(self._address)
            stub: Any = recognition_pb2_grpc.RecognitionServiceStub(self._channel)
            self._call = call = stub.WatchTracks(self._position.request(), metadata=metadata)
            # A feed that was dropped, as `async for ... break` does, is ended, too.
            self._dropped = weakref.finalize(self, call.cancel)
            try:
                await self._await_headers(call, deadline)
            except BaseException as error:
                await self._let_go()
                is_left = isinstance(error, asyncio.CancelledError) and is_task_cancelled()
                if self._closed.is_set() and not is_left:  # another task has cancelled the call
                    return
                pause_s = retries.pause_s(error) if isinstance(error, FacewireError) else None
                if pause_s is None:
                    raise
                await self._pause(pause_s)
            else:
                self._messages = aiter(call)
                self._reopening.opened()
                return

    async def _await_headers(self, call: Any, deadline: Deadline) -> None:
        """Waits until the server has begun to send.

        Raises:
            FacewireError: the server refused the feed, or was not there in time.
        """
        try:
            # A deadline of gRPC would be the whole feed's.
            async with asyncio.timeout(deadline.left_s):
                headers = await call.initial_metadata()
        except TimeoutError:
            raise await explained(too_late(self._address.target, deadline), self._address) from None
        except grpc.RpcError as error:
            problem = error_from_rpc(error, target=self._address.target)
            raise await explained(problem, self._address) from error
        if call.done() and await call.code() is not grpc.StatusCode.OK:
            status = Status(await call.code(), await call.details(), await call.trailing_metadata())
            problem = error_from_rpc(status, target=self._address.target)
            raise await explained(problem, self._address)
        self._position.opened(headers)
