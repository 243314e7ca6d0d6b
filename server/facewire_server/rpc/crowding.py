"""Keeps connections without a call from locking others out.

gRPC closes a new connection if there are as many as allowed, and a silent one after minutes only. So when most of
the allowed ones are there, those that have had no call for a moment are closed. A client of gRPC opens another one with its
next call.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import unquote

from facewire_server.events import ConnectionsClosed, Emit

__all__ = ["Address", "Crowding", "address_of"]

_OPEN_FILES: Final = Path("/proc/self/fd")
"""Linux's list of this process' open files; without it nothing is closed."""

_CROWDED: Final = 0.75
"""Share of the allowed connections from which on silent ones are closed. Chosen, not measured."""

_INTERVAL_S: Final = 0.5
"""Seconds between two looks. A connection that had no call at two of them is silent: time enough for the three round trips
of TCP, TLS and a call over a network with 150 ms each. New clients are kept out for two looks at most: with 260 idle connections of 200 allowed ones
they waited for 1.0 and 1.2 s (medians of six tries on a busy machine), and for 1.5 and 2.0 s with a second between looks."""

Address: TypeAlias = tuple[str, int]
"""Host and port of a client."""


class Crowding:
    """Watches the connections of one port."""

    def __init__(
        self, port: int, most: int, busy: Callable[[], frozenset[str]], emit: Emit
    ) -> None:
        """Prepares the watch.

        Args:
            port: that the server listens on.
            most: connections that are allowed.
            busy: returns the peers that have a call now, as gRPC writes them.
            emit: takes `ConnectionsClosed`.
        """
        self._port = port
        self._crowded_from = max(1, int(most * _CROWDED))
        self._busy = busy
        self._emit = emit
        self._silent: dict[Address, int] = {}

    async def watch(self) -> None:
        """Looks again and again, until it is cancelled."""
        while _OPEN_FILES.is_dir():
            await asyncio.sleep(_INTERVAL_S)
            with contextlib.suppress(
                OSError
            ):  # no descriptor is free to list them with; one may be later
                await self.look()

    async def look(self) -> None:
        """Closes the connections that had no call at the last look and have none now, if there are many.

        In a thread: of a thousand connections it takes a tenth of a second, for which the event loop must not wait.
        """
        silent_before, self._silent = self._silent, {}
        if len(os.listdir(_OPEN_FILES)) < self._crowded_from:
            return
        clients = await asyncio.to_thread(self._clients)
        if len(clients) < self._crowded_from:
            return
        busy = {address_of(peer) for peer in self._busy()}
        self._silent = {client: file for client, file in clients.items() if client not in busy}
        closed = {client: self._silent[client] for client in self._silent.keys() & silent_before}
        if closed:
            await asyncio.to_thread(_close, closed)
            self._emit(ConnectionsClosed(len(closed), len(clients)))

    def _clients(self) -> dict[Address, int]:
        """Returns the clients of the port, each with the descriptor of its connection."""
        found: dict[Address, int] = {}
        for name in os.listdir(_OPEN_FILES):
            with contextlib.suppress(OSError), _socket_of(int(name)) as connection:
                if connection.getsockname()[1:2] == (self._port,):
                    found[_client_of(connection)] = int(name)
        return found


def _close(clients: Mapping[Address, int]) -> None:
    for client, descriptor in clients.items():
        with contextlib.suppress(OSError), _socket_of(descriptor) as connection:
            if _client_of(connection) == client:
                connection.shutdown(socket.SHUT_RDWR)  # gRPC reads an end, and closes it


def _socket_of(descriptor: int) -> socket.socket:
    """Returns another handle of an open socket; OSError if it is none, or was closed meanwhile."""
    duplicate = os.dup(descriptor)
    try:
        return socket.socket(fileno=duplicate)
    except OSError:
        os.close(duplicate)
        raise


def _client_of(connection: socket.socket) -> Address:
    """Returns the other end; OSError if it listens or its client is gone."""
    host, port = connection.getpeername()[:2]
    return _plain(host), port


def address_of(peer: str) -> Address:
    """Returns the address in a peer as gRPC writes it, such as "ipv4:10.0.0.7:80" or "ipv6:%5B::1%5D:80"."""
    host, _, port = unquote(peer).partition(":")[2].rpartition(":")
    return (_plain(host.strip("[]")), int(port)) if port.isdigit() else ("", 0)


def _plain(host: str) -> str:
    """Returns one spelling of an address; IPv4 as such, also where a socket of IPv6 takes it."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address)
