"""The sending half of a stream in asyncio: as `facewire._feed`, with tasks for threads."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from queue import SimpleQueue
from typing import Any, TypeAlias

import grpc

from facewire._feed import Account
from facewire._pictures import Frame, Picture, no_picture
from facewire._results import StreamLimits

__all__ = ["AsyncFeed", "Frames", "drawn", "send"]

Frames: TypeAlias = AsyncIterable[Picture | Frame] | Iterable[Picture | Frame]


class AsyncFeed(Account):
    """An account that a sending and a reading task of one loop share."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def start(self, limits: StreamLimits) -> None:
        """Lets the sending begin, at the server's terms."""
        self._begin(limits)
        self._changed.set()

    async def wait_for_credit(self) -> bool:
        """Waits until a frame may be sent; False when none is wanted any more."""
        while not self._closed and self.in_flight >= self._limit:
            self._changed.clear()
            await self._changed.wait()
        return not self._closed

    def give_back(self, frame_count: int) -> None:
        """Counts frames as accounted for."""
        self.in_flight -= frame_count
        self._changed.set()

    def close(self) -> None:
        """Ends the sending, also of a task that waits for credit."""
        self._closed = True
        self._changed.set()


async def send(call: Any, frames: AsyncIterator[Picture | Frame], feed: AsyncFeed) -> None:
    """Draws a frame when there is credit for it, and sends it, to the end of either."""
    # That the call has ended is told by its status, to whoever reads the answers.
    with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
        while await feed.wait_for_credit():
            try:
                message = feed.message(await anext(frames))
            except StopAsyncIteration:
                feed.exhausted = True
                break
            except Exception as error:  # noqa: BLE001 the caller's own, raised by the stream
                feed.error = error
                break
            feed.in_flight += 1
            await call.write(message)
        await call.done_writing()


def drawn(frames: Frames) -> AsyncIterator[Picture | Frame]:
    """An iterator of asyncio's of any frames: ordinary ones are drawn in a thread.

    Raises:
        TypeError: they are not iterable, or one picture.
    """
    if isinstance(frames, AsyncIterable):
        return aiter(frames)
    return _in_a_thread(iter(no_picture(frames)))


async def _in_a_thread(frames: Iterator[Picture | Frame]) -> AsyncIterator[Picture | Frame]:
    """Draws a frame whenever one is asked for.

    The thread is a daemon, and not asyncio's: a camera that gives no frame for a while
    holds up neither other streams nor the end of the process.
    """
    loop = asyncio.get_running_loop()
    asked: SimpleQueue[asyncio.Future[Any] | None] = SimpleQueue()

    def draw() -> None:
        while (future := asked.get()) is not None:
            frame: Any = _END
            failure: Exception | None = None
            try:
                frame = next(frames, _END)
            except Exception as error:  # noqa: BLE001 the caller's own, raised by the stream
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_answer, future, frame, failure)

    threading.Thread(target=draw, daemon=True, name="facewire-frames").start()
    try:
        while True:
            future = loop.create_future()
            asked.put(future)
            frame = await future
            if frame is _END:
                return
            yield frame
    finally:
        asked.put(None)


_END: Any = object()


def _answer(future: asyncio.Future[Any], frame: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(frame)
