"""The sending half of a stream: as `facewire._sync.feed`, with tasks instead of threads."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from queue import SimpleQueue
from typing import Any, TypeAlias

import grpc

from facewire._aio.threads import read_frame
from facewire._values.pictures import Frame, Picture, require_frames
from facewire._values.results import StreamLimits
from facewire._wire.ledger import Ledger

__all__ = ["AsyncFeed", "Frames", "as_async", "send"]

Frames: TypeAlias = AsyncIterable[Picture | Frame] | Iterable[Picture | Frame]


class AsyncFeed(Ledger):
    """A ledger that a sending and a reading task of one loop share."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def start(self, limits: StreamLimits) -> None:
        """Lets the sending begin, within the server's limits."""
        self._begin(limits)
        self._changed.set()

    async def wait_for_credit(self) -> bool:
        """Waits until a frame may be sent; False if the sending has ended."""
        while not self._closed and self.in_flight >= self._credit:
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
    """Pulls a frame when there is credit for it, and sends it, until the frames or the call end."""
    # The end of the call shows in its status, which the reading half raises.
    with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
        while await feed.wait_for_credit():
            try:
                message = feed.message(await read_frame(await anext(frames)))
            except StopAsyncIteration:
                feed.exhausted = True
                break
            except Exception as error:  # noqa: BLE001 the caller's own, raised by the stream
                feed.error = error
                break
            feed.in_flight += 1
            await call.write(message)
        await call.done_writing()


def as_async(frames: Frames) -> AsyncIterator[Picture | Frame]:
    """Returns an asynchronous iterator of any frames: ordinary ones are pulled in a thread.

    Raises:
        TypeError: they are not iterable, or are one picture.
    """
    if isinstance(frames, AsyncIterable):
        return aiter(frames)
    return _in_a_thread(iter(require_frames(frames)))


async def _in_a_thread(frames: Iterator[Picture | Frame]) -> AsyncIterator[Picture | Frame]:
    """Pulls a frame whenever one is asked for.

    The thread is a daemon, and not one of asyncio's pool: a camera without a frame for a while
    holds up neither other streams nor the end of the process.
    """
    loop = asyncio.get_running_loop()
    asked: SimpleQueue[asyncio.Future[Any] | None] = SimpleQueue()

    def pull() -> None:
        while (future := asked.get()) is not None:
            frame: Any = _END
            failure: Exception | None = None
            try:
                frame = next(frames, _END)
            except Exception as error:  # noqa: BLE001 the caller's own, raised by the stream
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_resolve, future, frame, failure)

    threading.Thread(target=pull, daemon=True, name="facewire-frames").start()
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


def _resolve(future: asyncio.Future[Any], frame: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(frame)
