"""Browsers before a console: webcams that stream over WebSockets, and pages that only watch."""

import contextlib
import json
import threading
import time
from types import TracebackType
from typing import Any, Final, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from harness.console_running import RunningConsole

__all__ = ["ConsoleLoad"]

_STATUS_EVERY_S: Final = 5.0
"""Seconds between two looks of a page at the status. Chosen, not measured."""

_PATIENCE_S: Final = 60.0


class ConsoleLoad:
    """Threads that run until the block ends.

    Attributes:
        answers: results that webcams got.
        skipped: frames of theirs that were skipped.
        faults: what ended a webcam or a page before the block did.
    """

    def __init__(self, console: RunningConsole) -> None:
        self.answers = 0
        self.skipped = 0
        self.faults: list[str] = []
        self._console = console
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def webcam(self, name: str, picture: bytes, fps: float) -> None:
        """Adds a page that streams a picture at a pace, within its credit."""
        self._add(lambda: self._stream(name, picture, fps))

    def watcher(self) -> None:
        """Adds a page that follows events, and looks at the status now and then."""
        self._add(self._watch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_PATIENCE_S)

    def _add(self, work: Any) -> None:
        def noted() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 shown at the end
                self.faults.append(repr(error))

        self._threads.append(threading.Thread(target=noted, daemon=True))
        self._threads[-1].start()

    def _stream(self, name: str, picture: bytes, fps: float) -> None:
        address = f"ws://{self._console.host}:{self._console.port}/ws/live?camera={name}"
        with connect(address, compression=None, max_size=None, proxy=None) as socket:
            socket.send(json.dumps({"type": "config"}))
            credit = json.loads(socket.recv(_PATIENCE_S))["credit"]
            outstanding, sequence, due_s = 0, 0, time.monotonic()
            while not self._stop.is_set():
                if outstanding < credit and time.monotonic() >= due_s:
                    sequence, outstanding = sequence + 1, outstanding + 1
                    socket.send(json.dumps({"type": "frame", "sequence": sequence}))
                    socket.send(picture)
                    due_s = max(due_s + 1 / fps, time.monotonic())
                wait_s = due_s - time.monotonic() if outstanding < credit else _PATIENCE_S
                with contextlib.suppress(TimeoutError):
                    outstanding -= self._count(json.loads(socket.recv(max(0.0, wait_s))))
            with contextlib.suppress(ConnectionClosed):
                socket.send(json.dumps({"type": "end"}))

    def _count(self, message: dict[str, Any]) -> int:
        """Returns the frames that a message accounts for."""
        if message["type"] == "result":
            self.answers += 1
            return 1
        if message["type"] == "skipped":
            count = int(message["frame_count"])
            self.skipped += count
            return count
        if message["type"] == "error":
            raise RuntimeError(message["error"]["reason"])
        return 0

    def _watch(self) -> None:
        with self._console.connect() as socket, self._console.browser() as browser:
            socket.settimeout(0.5)
            socket.sendall(b"GET /api/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            next_s = 0.0
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    if not socket.recv(65536):
                        raise RuntimeError("the stream of events ended")
                if time.monotonic() >= next_s:
                    next_s = time.monotonic() + _STATUS_EVERY_S
                    if browser.send("GET", "/api/status").status != 200:
                        raise RuntimeError("no status")
