"""How long a connection may be slow, and how many there may be: what uvicorn itself has no limits for.

Headers that do not come, a client that does not read, and connections that are only held open: each of them is cut off.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["HEADERS_BYTES", "HEADERS_S", "WRITE_S", "BoundedHttp", "BoundedWebSocket"]

HEADERS_S: Final = 10.0
"""Seconds until a request's headers have come, also the first on a connection. Chosen, not measured."""

WRITE_S: Final = 10.0
"""Seconds in which a client must read something of what waits for it. Chosen, not measured."""

HEADERS_BYTES: Final = 32 << 10
"""Bytes of a request's headers: twice uvicorn's default for cookies of other programs on this host. Chosen, not measured."""


class _Reader:
    """Cuts a connection off whose client does not read."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _unread: asyncio.TimerHandle | None = None

    def _begin_waiting(self) -> None:
        self._end_waiting()
        # Not `close`, which would wait until the client has read.
        self._unread = self.loop.call_later(WRITE_S, self.transport.abort)

    def _end_waiting(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class BoundedHttp(_Reader, H11Protocol):
    """An HTTP connection that ends if its headers or its reading take too long.

    Attributes:
        max_connections: most connections at the same time, WebSockets included.
        waiting: connections without a request in progress, in the order in which they began to wait.
    """

    max_connections: int
    waiting: "dict[BoundedHttp, None]"
    _headers: asyncio.TimerHandle | None = None
    _is_passed_on = False

    @classmethod
    def limited(cls, max_connections: int) -> "type[BoundedHttp]":
        """Returns the class of the connections of one server."""
        return type(cls.__name__, (cls,), {"max_connections": max_connections, "waiting": {}})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins to wait for headers; above the limit the connection that waits longest gives way, or this one."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            longest = next(iter(self.waiting), self)
            longest._end_waiting_for_request()
            longest.transport.abort()
            if longest is self:
                return
        self.waiting[self] = None
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Reads a piece; the headers must be whole in their time, however many pieces they come in."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._end_waiting_for_request()
        elif self._headers is None and not (self._is_passed_on or self.transport.is_closing()):
            self._await_headers()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Passes the connection on."""
        self._is_passed_on = True
        self._end_waiting_for_request()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Waits for the next request: uvicorn's own time for keep-alive runs until its first byte."""
        self.waiting[self] = None
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all waiting."""
        self._end_waiting_for_request()
        self._end_waiting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client has left something unread."""
        super().pause_writing()
        self._begin_waiting()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._end_waiting()

    def _await_headers(self) -> None:
        self._headers = self.loop.call_later(HEADERS_S, self.transport.abort)

    def _end_waiting_for_request(self) -> None:
        self.waiting.pop(self, None)
        if self._headers is not None:
            self._headers.cancel()
            self._headers = None


class BoundedWebSocket(_Reader, WebSocketsSansIOProtocol):
    """A WebSocket that ends if its client does not read."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all waiting."""
        self._end_waiting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client has left something unread."""
        super().pause_writing()
        self._begin_waiting()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._end_waiting()
