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
from facewire._values.results import FramesSkipped, StreamLimits
from facewire._wire.ledger import Ledger, Turn
from facewire.v1 import recognition_pb2

__all__ = ["AsyncFeed", "Frames", "as_async", "send"]

Frames: TypeAlias = AsyncIterable[Picture | Frame] | Iterable[Picture | Frame]


class AsyncFeed(Ledger):
    """A ledger that a sending and a reading task of one loop share.

    A frame is pulled by a task of its own, which the end of a call does not cancel: the frame is then the next call's.
    """

    def __init__(self, frames: AsyncIterator[Picture | Frame], *, resends: bool = False) -> None:
        super().__init__(resends=resends)
        self._frames = frames
        self._pulling: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def start(self, turn: Turn, limits: StreamLimits) -> FramesSkipped | None:
        """Lets a call send, within the server's limits; returns the frames whose results were lost with the call before."""
        lost = self._begin(turn, limits)
        self._changed.set()
        return lost

    def end(self, turn: Turn) -> None:
        """Ends a call's sending, also of a task that waits for credit."""
        turn.ended = True
        self._changed.set()

    async def next_message(self, turn: Turn) -> recognition_pb2.StreamRecognizeRequest | None:
        """Waits until a frame may be sent, and pulls it; None if the sending has ended."""
        while True:
            while not self._may_act(turn, is_pulling=self._is_pulling):
                await self._change()
            if turn.ended:
                return None
            message = self._next()
            if message is not None or self._ended:
                return message
            self._start_pulling()

    async def wait_for_frame(self, closed: asyncio.Event) -> None:
        """Waits until there is a frame to send, the frames have ended, or `closed` is set and `wake` called."""
        if not (self._pulled or self._is_pulling or self._ended):
            self._start_pulling()
        while self._is_pulling and not closed.is_set():
            await self._change()

    def wake(self) -> None:
        """Lets `wait_for_frame` look again."""
        self._changed.set()

    def give_back(self, frame_count: int) -> None:
        """Counts frames as accounted for."""
        self._account(frame_count)
        self._changed.set()

    def break_off(self) -> FramesSkipped | None:
        """Ends the turn, and returns the frames that are lost with it."""
        lost = self._break_off()
        self._changed.set()
        return lost

    def let_go(self) -> None:
        """Ends the pulling. May be called again."""
        self._turn.ended = True
        if self._pulling is not None:
            self._pulling.cancel()
        self._changed.set()

    @property
    def _is_pulling(self) -> bool:
        return self._pulling is not None

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _start_pulling(self) -> None:
        self._pulling = asyncio.create_task(self._pull())

    async def _pull(self) -> None:
        try:
            self._pulled.append(self._message(await read_frame(await anext(self._frames))))
        except StopAsyncIteration:
            self.exhausted = True
        except Exception as error:  # noqa: BLE001 the caller's own, raised by the stream
            self.error = error
        finally:
            self._pulling = None
            self._changed.set()


async def send(call: Any, feed: AsyncFeed, turn: Turn) -> None:
    """Sends what a call sends after its config, until the frames or the call end."""
    # The end of the call shows in its status, which the reading half raises.
    with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
        while (message := await feed.next_message(turn)) is not None:
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
