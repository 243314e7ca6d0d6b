"""Cameras that post one picture at a time: a stream for each is held open between the posts, so that faces are followed."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from facewire import (
    Advice,
    AsyncClient,
    FramePolicy,
    FrameResult,
    TrackEvent,
    UnavailableError,
)
from facewire_console.errors import Refused

__all__ = ["Cameras", "Posted"]

_IDLE_S: Final = 60.0
"""Seconds after its last picture until a camera is let go: one that posts once a minute keeps its tracks. Chosen, not measured."""

_GIVES_WAY_S: Final = 10.0
"""Seconds without a picture after which a camera gives way to another one; the server's own rule for streams."""

_MAX_WAITING: Final = 4
"""Posts of one camera that wait for the one before: the credit of a stream. Chosen, not measured."""

_OPEN_S: Final = 10.0
"""Seconds until a stream must be open. Chosen, not measured."""

_RESULT_S: Final = 30.0
"""Seconds until a result must be there, of a server that is away for a moment included. Chosen, not measured."""


class Posted(NamedTuple):
    """The outcome of one post."""

    result: FrameResult
    events: list[TrackEvent]
    advice: Advice | None


class Cameras:
    """The streams, by gallery and camera; a bounded number. For one event loop."""

    def __init__(self, client: AsyncClient, max_cameras: int) -> None:
        self._client = client
        self._max_cameras = max_cameras
        self._held: OrderedDict[tuple[str, str], _Held] = OrderedDict()

    async def post(self, camera: str, gallery: str, picture: bytes) -> Posted:
        """Recognizes a camera's next picture.

        Raises:
            Refused: too many cameras, or too many posts of this one.
            FacewireError: of the stream; the next post opens a new one.
        """
        held = await self._of(camera, gallery)
        try:
            return await held.post(picture)
        except Refused:
            raise
        except BaseException:
            await self._let_go(held)
            raise

    async def close(self) -> None:
        """Lets all cameras go."""
        for held in list(self._held.values()):
            await self._let_go(held)

    async def _of(self, camera: str, gallery: str) -> "_Held":
        key = (gallery, camera)
        held = self._held.get(key)
        if held is None:
            if len(self._held) >= self._max_cameras:
                await self._make_room()
            # Another post may have made it meanwhile.
            held = self._held.get(key) or _Held(self, self._client, key)
            self._held[key] = held
        self._held.move_to_end(key)
        return held

    async def _make_room(self) -> None:
        for held in self._held.values():
            if held.gives_way:
                await self._let_go(held)
                return
        raise Refused(
            429,
            "TOO_MANY_CAMERAS",
            f"{self._max_cameras} cameras post frames already (max_cameras)",
            retry_after_s=_GIVES_WAY_S,
        )

    async def _let_go(self, held: "_Held") -> None:
        if self._held.get(held.key) is held:
            del self._held[held.key]
        await held.close()


class _Held:
    """One camera's stream."""

    def __init__(self, cameras: Cameras, client: AsyncClient, key: tuple[str, str]) -> None:
        self.key = key
        self._cameras = cameras
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._used_s = time.monotonic()
        self._frames: deque[bytes] = deque()
        self._has_frame = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        gallery, camera = key
        self._stream = client.stream(
            self._pulled(),
            camera=camera,
            gallery=gallery,
            policy=FramePolicy.EVERY_FRAME,
            reopen=True,
            timeout_s=_OPEN_S,
        )

    @property
    def gives_way(self) -> bool:
        """Whether another camera may have its place."""
        return not self._waiting and time.monotonic() - self._used_s > _GIVES_WAY_S

    async def post(self, picture: bytes) -> Posted:
        """Sends a picture, and returns its result with the events that came before it.

        Raises:
            Refused: too many posts wait.
            FacewireError: of the stream.
        """
        if self._waiting >= _MAX_WAITING:
            raise Refused(
                429,
                "CAMERA_BUSY",
                "post one picture at a time: earlier ones wait for their results",
            )
        self._waiting += 1
        try:
            async with self._turn:
                return await self._result_of(picture)
        finally:
            self._waiting -= 1
            self._wait_for_next()

    async def close(self) -> None:
        """Ends the stream. May be called again."""
        if self._idle is not None:
            self._idle.cancel()
        await self._stream.close()

    async def _result_of(self, picture: bytes) -> Posted:
        self._frames.append(picture)
        self._has_frame.set()
        events: list[TrackEvent] = []
        try:
            async with asyncio.timeout(_RESULT_S):
                async for item in self._stream:
                    if isinstance(item, TrackEvent):
                        events.append(item)
                    elif isinstance(item, FrameResult):
                        return Posted(item, events, self._stream.advice)
                    else:
                        break  # the server is about to end, and has not worked on it
        except TimeoutError:
            raise UnavailableError(f"no result within {_RESULT_S:.0f} s.") from None
        raise UnavailableError("the stream ended before the result came.")

    async def _pulled(self) -> AsyncIterator[bytes]:
        while True:
            while not self._frames:
                self._has_frame.clear()
                await self._has_frame.wait()
            yield self._frames.popleft()

    def _wait_for_next(self) -> None:
        self._used_s = time.monotonic()
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(_IDLE_S, self._let_go_if_idle)

    def _let_go_if_idle(self) -> None:
        if not self._waiting:
            self._ending = asyncio.get_running_loop().create_task(self._cameras._let_go(self))
