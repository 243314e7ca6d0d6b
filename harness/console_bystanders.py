"""Clients that keep a console's rules while others do not: a board, a page in Live, and a camera that speaks gRPC beside it."""

import abc
import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from http.client import HTTPException
from types import TracebackType
from typing import Final, Self

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

import facewire
from harness.console_running import Browser, RunningConsole

__all__ = ["Board", "Bystander", "Camera", "LivePage"]

_FRAME_S: Final = 0.1
"""Ten frames a second, if each is answered sooner."""

_PATIENCE_S: Final = 60.0


class Bystander(abc.ABC):
    """Sends a picture ten times a second during the block, and comes again if it is cut off.

    Attributes:
        ages: seconds from each picture to its result.
        refused: pictures, and attempts to connect, without a result.
    """

    def __init__(self, picture: bytes) -> None:
        self.ages: list[float] = []
        self.refused = 0
        self._picture = picture
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(_PATIENCE_S)

    def restart(self) -> tuple[list[float], int]:
        """Returns ages and refusals since the last call, and begins to count again."""
        ages, refused = self.ages, self.refused
        self.ages, self.refused = [], 0
        return ages, refused

    @abc.abstractmethod
    def _serve(self) -> None:
        """Sends pictures until it is over."""

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._serve()
            except (OSError, HTTPException, WebSocketException, facewire.FacewireError):
                self.refused += 1
                self._over.wait(_FRAME_S)

    def _took(self, began: float) -> None:
        self.ages.append(time.monotonic() - began)


class Board(Bystander):
    """Posts each picture to `/v1/frames/board`, over one connection."""

    def __init__(self, console: RunningConsole, picture: bytes) -> None:
        super().__init__(picture)
        self._console = console

    def _serve(self) -> None:
        with self._console.browser() as browser:
            while not self._over.wait(_FRAME_S):
                self._post(browser)

    def _post(self, browser: Browser) -> None:
        began = time.monotonic()
        if browser.send("POST", "/v1/frames/board", self._picture).status == 200:
            self._took(began)
        else:
            self.refused += 1


class LivePage(Bystander):
    """Streams over `/ws/live`, one frame at a time."""

    def __init__(self, console: RunningConsole, picture: bytes) -> None:
        super().__init__(picture)
        self._url = f"ws://{console.host}:{console.port}/ws/live?camera=page"

    def _serve(self) -> None:
        with connect(self._url, compression=None, max_size=None, proxy=None) as websocket:
            websocket.send('{"type": "config"}')
            sequence = 0
            while not self._over.wait(_FRAME_S):
                sequence += 1
                began = time.monotonic()
                websocket.send(json.dumps({"type": "frame", "sequence": sequence}))
                websocket.send(self._picture)
                if self._outcome(websocket) == "result":
                    self._took(began)
                else:
                    self.refused += 1

    def _outcome(self, websocket: ClientConnection) -> str:
        """Returns how the frame was accounted for."""
        while True:
            kind = str(json.loads(websocket.recv(_PATIENCE_S))["type"])
            if kind in ("result", "skipped", "error"):
                return kind


class Camera(Bystander):
    """Streams to the server itself: the console is only beside it."""

    def __init__(self, address: str, picture: bytes) -> None:
        super().__init__(picture)
        self._address = address

    def _serve(self) -> None:
        sent: deque[float] = deque()

        def frames() -> Iterator[bytes]:
            while not self._over.wait(_FRAME_S):
                sent.append(time.monotonic())
                yield self._picture

        policy = facewire.FramePolicy.EVERY_FRAME
        with contextlib.ExitStack() as open_ones:
            client = open_ones.enter_context(facewire.Client(self._address))
            stream = open_ones.enter_context(
                client.stream(frames(), camera="camera", policy=policy)
            )
            for item in stream:
                if isinstance(item, facewire.FrameResult):
                    self._took(sent.popleft())
                elif isinstance(item, facewire.FramesSkipped):
                    self.refused += item.frame_count
                    for _ in range(item.frame_count):
                        sent.popleft()
