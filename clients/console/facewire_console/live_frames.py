"""The sending half of `/ws/live`: what a browser sends, as frames of a stream, in its credit and in bounded memory."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

from starlette.websockets import WebSocket, WebSocketDisconnect

from facewire import Advice, Frame, Image
from facewire_console.guard.held import HeldBytes
from facewire_console.shapes import advice_json

__all__ = ["Broken", "LiveFrames", "read_text"]

_MAX_TEXT: Final = 4096
"""Characters of a text message: no field of one is long. Chosen, not measured."""

_MAX_SEQUENCE: Final = 2**53 - 1
"""The largest number that JavaScript counts to."""

_UNSUPPORTED, _POLICY, _LATER = 1003, 1008, 1013
"""Close codes: RFC 6455 section 7.4.1, and the registry of IANA for 1013."""


class Broken(Exception):
    """A browser sent what it may not; the text says what.

    Attributes:
        code: that the WebSocket is closed with.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Outstanding(NamedTuple):
    sequence: int
    size_bytes: int


class LiveFrames:
    """The frames of a browser: an asynchronous iterator for `AsyncClient.stream`.

    Attributes:
        credit: most frames received and not accounted for; 0 until the stream is open.
    """

    def __init__(self, websocket: WebSocket, held: HeldBytes) -> None:
        self.credit = 0
        self._websocket = websocket
        self._held = held
        self._waiting: deque[Frame] = deque()
        self._outstanding: deque[_Outstanding] = deque()
        self._changed = asyncio.Event()
        self._last_sequence = 0
        self._has_ended = False
        self._fault: Exception | None = None
        self._advice: Advice | None = None

    async def read(self) -> None:
        """Receives frames until the browser leaves or breaks a rule; then the frames end, and `raise_fault` says why."""
        try:
            while True:
                await self._read_one()
        except (Broken, WebSocketDisconnect) as error:
            self._fault = error
            self._has_ended = True
            self._waiting.clear()  # there is no client for their results
            self._changed.set()

    def raise_fault(self) -> None:
        """Raises what ended the reading, if something did.

        Raises:
            Broken: the browser broke a rule.
            WebSocketDisconnect: it left.
        """
        if self._fault is not None:
            raise self._fault

    def account(self, frame_count: int) -> list[int]:
        """Counts the oldest frames as accounted for, and returns their sequence numbers."""
        done = [self._outstanding.popleft() for _ in range(frame_count)]
        self._held.give_back(sum(each.size_bytes for each in done))
        return [each.sequence for each in done]

    def let_go(self) -> None:
        """Returns the memory of all frames."""
        self.account(len(self._outstanding))
        self._waiting.clear()

    def advise(self, advice: Advice) -> None:
        """Takes the server's advice; the client calls it."""
        self._advice = advice

    def take_advice(self) -> list[dict[str, Any]]:
        """Returns the message about the latest advice, once."""
        advice, self._advice = self._advice, None
        return [] if advice is None else [{"type": "advice", **advice_json(advice)}]

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        while not self._waiting:
            if self._has_ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()

    async def _read_one(self) -> None:
        message = await read_text(self._websocket)
        kind = message.get("type")
        if kind == "end" and not self._has_ended:
            self._has_ended = True
            self._changed.set()
            return
        if kind != "frame" or self._has_ended:
            raise Broken(_UNSUPPORTED, 'expected {"type": "frame"} or {"type": "end"}')
        sequence = _number(message, "sequence", least=self._last_sequence + 1)
        captured_at_us = _number(message, "captured_at_us", least=0, default=0)
        if len(self._outstanding) >= self.credit:
            raise Broken(_POLICY, f"more than {self.credit} frames are not accounted for")
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        picture = received.get("bytes")
        if picture is None:
            raise Broken(_UNSUPPORTED, "a frame's text must be followed by its picture")
        if not self._held.take(len(picture)):
            raise Broken(_LATER, "pictures of other clients fill the memory for them; try again")
        self._last_sequence = sequence
        self._outstanding.append(_Outstanding(sequence, len(picture)))
        self._waiting.append(Frame(Image(picture), captured_at_us=captured_at_us))
        self._changed.set()


async def read_text(websocket: WebSocket) -> dict[str, Any]:
    """Receives a text message, which must be a JSON object.

    Raises:
        Broken: it is something else.
        WebSocketDisconnect: the browser left.
    """
    received = await websocket.receive()
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received.get("code", 1005))
    text = received.get("text")
    if text is None or len(text) > _MAX_TEXT:
        raise Broken(_UNSUPPORTED, f"expected a text of at most {_MAX_TEXT} characters")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Broken(_UNSUPPORTED, "expected a JSON object")
    return message


def _number(message: dict[str, Any], name: str, *, least: int, default: int | None = None) -> int:
    value = message.get(name, default)
    if type(value) is not int or not least <= value <= _MAX_SEQUENCE:
        raise Broken(_POLICY, f"{name} must be a whole number of at least {least}")
    return value
