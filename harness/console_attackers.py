"""Clients that break a console's rules, each against one console of this machine, from a process of its own until it is ended.

They come from another address of loopback than those who keep the rules: a console lets the address with most connections give way.
"""

import contextlib
import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

__all__ = ["ATTACKS", "attacking"]

_ENDS: Final = (OSError, WebSocketException)
"""How the console ends what it does not take."""

_SLOW: Final = 300
"""Connections that send their headers slowly: more than the 256 that a console takes by default."""

_BODIES: Final = 8
"""Bodies of 1 GB at a time. Chosen, not measured."""

_UNREAD: Final = 20
"""Clients that ask, and read nothing. Chosen, not measured."""

_WEBSOCKETS: Final = 40
"""More than the 32 that may be open."""

_PIECE: Final = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
"""A mebibyte of a chunked body (RFC 9112, section 7.1)."""

_REQUESTS: Final = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 10_000
"""Many at once, so that the attack costs this machine little beside what it costs the console."""

_ADDRESS: Final = "127.0.0.2"
_TIMEOUT_S: Final = 5.0
_PAUSE_S: Final = 0.5
_PREPARE_S: Final = 60.0


def _connected(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), _TIMEOUT_S, (_ADDRESS, 0))


def _slow_headers(host: str, port: int) -> None:
    """Sends a byte of each header now and then, and comes again when it is cut."""
    connections: list[socket.socket] = []
    while True:
        while len(connections) < _SLOW:
            with contextlib.suppress(OSError):
                connections.append(_connected(host, port))
                connections[-1].sendall(b"GET /api/status HTTP/1.1\r\nHost: ")
        time.sleep(_PAUSE_S)
        for connection in list(connections):
            try:
                connection.sendall(b"a")
            except OSError:
                connections.remove(connection)


def _gigabytes(host: str, port: int) -> None:
    """Sends pictures that do not end, several at a time."""
    _in_threads(_BODIES, lambda: _gigabyte(host, port))


def _gigabyte(host: str, port: int) -> None:
    with _connected(host, port) as connection:
        connection.sendall(
            b"POST /api/recognize HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(1 << 10):
            connection.sendall(_PIECE)


def _unread(host: str, port: int) -> None:
    """Asks for the largest document again and again, and reads nothing."""
    _in_threads(_UNREAD, lambda: _unread_one(host, port))


def _unread_one(host: str, port: int) -> None:
    with _connected(host, port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(None)
        while True:
            connection.sendall(_REQUESTS)


def _websockets(host: str, port: int) -> None:
    """Opens streams that send no frame, and again those that are refused."""
    _in_threads(_WEBSOCKETS, lambda: _websocket(host, port))


def _websocket(host: str, port: int) -> None:
    address = f"ws://{host}:{port}/ws/live?camera=idle"
    with connect(address, sock=_connected(host, port)) as websocket:
        websocket.send(json.dumps({"type": "config"}))
        for _ in websocket:
            pass


def _in_threads(count: int, attack: Callable[[], None]) -> None:
    def again() -> None:
        while True:
            with contextlib.suppress(*_ENDS):
                attack()
            time.sleep(_PAUSE_S)

    threads = [threading.Thread(target=again, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


ATTACKS: Final[dict[str, Callable[[str, int], None]]] = {
    f"{_SLOW} slow headers": _slow_headers,
    f"{_BODIES} bodies of 1 GB": _gigabytes,
    f"{_UNREAD} that do not read": _unread,
    f"{_WEBSOCKETS} WebSockets": _websockets,
}
"""By what a table calls them."""


@contextlib.contextmanager
def attacking(name: str, host: str, port: int) -> Iterator[None]:
    """Attacks a console during the block."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_attack, args=(name, host, port, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(_PREPARE_S):
            raise RuntimeError(f"{name} was not ready in time")
        yield
    finally:
        process.kill()
        process.join()


def _attack(name: str, host: str, port: int, ready: Any) -> None:
    ready.set()
    ATTACKS[name](host, port)
