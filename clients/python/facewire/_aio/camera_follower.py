"""Follows one camera in asyncio: as `facewire._sync.camera_follower`."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from facewire._aio.opened import AsyncOpened
from facewire._aio.stream import AsyncStream
from facewire._aio.threads import in_thread
from facewire._aio.track_feed import AsyncTrackFeed
from facewire._values.errors import NotSupportedError
from facewire._values.tracks import TrackEvent
from facewire._wire.handed_out import HandedOut, not_followed

if TYPE_CHECKING:
    from facewire.video import Camera

__all__ = ["AsyncCameraFollower"]


class AsyncCameraFollower(AsyncOpened):
    """Follows one camera: an asynchronous iterator of `TrackEvent`.

    It opens with the first event asked for, or with `async with`, which also closes it. The camera is opened and closed
    in a thread. Everything else is as in `CameraFollower`.
    """

    def __init__(
        self,
        open_camera: Callable[[], "Camera"],
        open_stream: Callable[["Camera"], AsyncStream],
        kept_events: Callable[[int], AsyncTrackFeed],
    ) -> None:
        self._open_camera = open_camera
        self._open_stream = open_stream
        self._kept_events = kept_events
        self._camera: Camera | None = None
        self._stream: AsyncStream | None = None
        self._kept: AsyncTrackFeed | None = None
        self._reopen_count = 0
        self._has_ended = False
        self._handed = HandedOut()
        self._due: deque[TrackEvent] = deque()
        self._closed = asyncio.Event()

    async def open(self) -> Self:
        """Opens the camera and the stream, if they are not open.

        Raises:
            ValueError: this is closed.
            SourceError, FacewireError: as of the iteration.
        """
        stream = await self._opened()
        if stream is None:
            raise ValueError("this follower is closed")
        try:
            await stream.open()
        except NotSupportedError as error:
            await self.close()
            raise not_followed(error) from error
        except BaseException:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """Ends the stream and frees the camera. May be called again, and from another task."""
        self._closed.set()
        if (stream := self._stream) is not None:
            await stream.close()
        if (kept := self._kept) is not None:  # it waits for a server that is gone again
            await kept.close()
        if (camera := self._camera) is not None:
            await in_thread(camera.close)

    async def __anext__(self) -> TrackEvent:
        while not self._closed.is_set():
            if self._due:
                return self._due.popleft()
            if self._has_ended:
                await self.close()
            elif (stream := await self._opened()) is not None:
                await self._step(stream)
        raise StopAsyncIteration

    async def _opened(self) -> AsyncStream | None:
        """Returns the stream, which it makes with the camera; None if this is closed, also meanwhile."""
        if self._camera is None and not self._closed.is_set():
            self._camera = await in_thread(self._open_camera)
            self._stream = self._open_stream(self._camera)
        if self._closed.is_set():
            await self.close()
            return None
        return self._stream

    async def _step(self, stream: AsyncStream) -> None:
        """Takes one result of the stream."""
        try:
            result = await anext(stream, None)
            if stream.reopen_count > self._reopen_count:
                await self._catch_up()
                self._reopen_count = stream.reopen_count
        except NotSupportedError as error:
            await self.close()
            raise not_followed(error) from error
        except BaseException:
            await self.close()
            raise
        if result is None:
            self._has_ended = True  # what was missed is still to be returned
        elif isinstance(result, TrackEvent) and self._handed.take(result):
            self._due.append(result)

    async def _catch_up(self) -> None:
        if not self._handed.last_event:
            return
        self._kept = kept = self._kept_events(self._handed.last_event)
        try:
            with suppress(NotSupportedError):
                self._due.extend(self._handed.take_kept([event async for event in kept]))
        finally:
            await kept.close()
