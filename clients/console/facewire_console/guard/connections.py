"""How long a connection may be slow: what uvicorn itself has no limits for.

Headers that do not come, a client that does not read, connections that are only held open, and a WebSocket in endless pieces: each of
them is cut off.
"""

import asyncio
from typing import Any, Final, Self

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from facewire_console.errors import Refused, refused_response
from facewire_console.guard.headers import SAFE_HEADERS
from facewire_console.guard.places import Places

__all__ = ["HEADERS_BYTES", "HEADERS_S", "WRITE_S", "BoundedHttp", "BoundedWebSocket"]

HEADERS_S: Final = 10.0
"""Seconds until a request's headers have come, also the first on a connection. Chosen, not measured."""

WRITE_S: Final = 10.0
"""Seconds in which a client must read something of what waits for it. Chosen, not measured."""

HEADERS_BYTES: Final = 32 << 10
"""Bytes of a request's headers: twice uvicorn's default for cookies of other programs on this host. Chosen, not measured."""

_MAX_PIECES: Final = 4096
"""Frames of one WebSocket message: browsers send 128 KiB and more in one, and an empty one takes memory, too. Chosen, not measured."""

_TOO_LARGE: Final = 1009
"""Close code of a message that is too large (RFC 6455 section 7.4.1)."""


class _Placed(asyncio.Protocol):
    """A connection that holds a place, and is cut off if its client does not read.

    Attributes:
        places: of the server.
    """

    places: Places
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _unread: asyncio.TimerHandle | None = None

    @classmethod
    def within(cls, places: Places) -> type[Self]:
        """Returns the class of the connections of one server."""
        return type(cls.__name__, (cls,), {"places": places})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes a place."""
        super().connection_made(transport)
        self.places.take(self, transport.get_extra_info("peername"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Returns the place."""
        self.places.leave(self)
        self._end_waiting_for_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client has left something unread."""
        super().pause_writing()
        self._end_waiting_for_reader()
        # Not `close`, which would wait until the client has read.
        self._unread = self.loop.call_later(WRITE_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._end_waiting_for_reader()

    def give_way(self) -> None:
        """Cuts the connection off."""
        self.transport.abort()

    def _end_waiting_for_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class BoundedHttp(_Placed, H11Protocol):
    """An HTTP connection that ends if its headers or its reading take too long."""

    _headers: asyncio.TimerHandle | None = None
    _is_passed_on = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins to wait for headers."""
        super().connection_made(transport)
        if not self.transport.is_closing():
            self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Reads a piece; the headers must be whole in their time, however many pieces they come in."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self.places.work(self)
            self._end_waiting_for_headers()
        elif self._headers is None and not (self._is_passed_on or self.transport.is_closing()):
            self._await_headers()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Passes the connection on."""
        self._is_passed_on = True
        self.places.leave(self)
        self._end_waiting_for_headers()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Waits for the next request: uvicorn's own time for keep-alive runs until its first byte."""
        self.places.wait(self)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all waiting."""
        self._end_waiting_for_headers()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Says that what was sent is no HTTP, as the application would."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # a response has begun
            self.transport.abort()
            return
        status, headers, body = _bad_request(msg)
        for part in (
            h11.Response(status_code=status, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(part) or b"")
        self.transport.close()

    def _await_headers(self) -> None:
        self._headers = self.loop.call_later(HEADERS_S, self.transport.abort)

    def _end_waiting_for_headers(self) -> None:
        if self._headers is not None:
            self._headers.cancel()
            self._headers = None


class BoundedWebSocket(_Placed, WebSocketsSansIOProtocol):
    """A WebSocket that ends if its client does not read, or sends a message in endless pieces."""

    def data_received(self, data: bytes) -> None:
        """Reads a piece, at first the whole request: websockets says nothing if it cannot read that."""
        super().data_received(data)
        self.places.work(self)
        if not self.handshake_initiated and not self.transport.is_closing():
            status, headers, body = _bad_request("this cannot become a WebSocket")
            lines = [b"HTTP/1.1 %d Bad Request" % status]
            lines += [name + b": " + value for name, value in headers]
            self.transport.write(b"\r\n".join([*lines, b"", body]))
            self.transport.close()

    def handle_cont(self, event: Frame) -> None:
        """Takes a further piece of a message."""
        if len(self.frames) < _MAX_PIECES:
            super().handle_cont(event)
        elif not self.close_sent:
            self.conn.fail(_TOO_LARGE, "too many pieces")
            self.handle_parser_exception()


def _bad_request(text: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Returns status, headers and body of a refusal that the application does not make."""
    response = refused_response(Refused(400, "BAD_REQUEST", text, closes=True))
    safe = [(name.lower().encode(), value.encode()) for name, value in SAFE_HEADERS.items()]
    return response.status_code, [*response.raw_headers, *safe], bytes(response.body)
