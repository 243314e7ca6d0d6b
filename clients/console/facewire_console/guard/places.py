"""How many connections there may be, and which of them gives way: what one address opens shuts no other out."""

import ipaddress
from collections import Counter
from typing import Any, Final, Protocol

__all__ = ["Placed", "Places"]

_NETWORK_BITS: Final = 64
"""Leading bits of an IPv6 address that count as one client: the smallest network that a customer gets (RFC 6177)."""


class Placed(Protocol):
    """A connection that holds a place."""

    def give_way(self) -> None:
        """Cuts the connection off."""


class Places:
    """The connections of one server: in a TLS handshake, of HTTP, and WebSockets. For one event loop."""

    def __init__(self, most: int) -> None:
        """Takes the limit.

        Args:
            most: connections at the same time.
        """
        self._most = most
        self._taken: dict[Placed, str] = {}
        self._waiting: dict[Placed, None] = {}

    def take(self, one: Placed, peer: Any) -> None:
        """Counts a connection, which waits for its first request.

        Above the limit a connection of the address that has most of them gives way, perhaps this one: the one that
        has waited longest, or the latest if each has a request in progress.

        Args:
            one: the connection.
            peer: its address, as asyncio has it (`peername`).
        """
        self._taken[one] = _client_of(peer)
        self._waiting[one] = None
        if len(self._taken) > self._most:
            leaving = self._most_dispensable()
            self.leave(leaving)
            leaving.give_way()

    def leave(self, one: Placed) -> None:
        """Returns a place. May be called again."""
        self._taken.pop(one, None)
        self._waiting.pop(one, None)

    def work(self, one: Placed) -> None:
        """Notes that a request of a connection is in progress."""
        self._waiting.pop(one, None)

    def wait(self, one: Placed) -> None:
        """Notes that a connection has no request in progress."""
        if one in self._taken:
            self._waiting[one] = None

    def _most_dispensable(self) -> Placed:
        counts = Counter(self._taken.values())
        most = max(counts.values())
        crowd = [one for one, client in self._taken.items() if counts[client] == most]
        waiting = (one for one in self._waiting if counts[self._taken[one]] == most)
        return next(waiting, crowd[-1])


def _client_of(peer: Any) -> str:
    """Returns what counts as one client: an IPv4 address, or a network of IPv6."""
    host = peer[0] if isinstance(peer, tuple) and peer else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 4:
        return host
    mapped = address.ipv4_mapped
    if mapped is not None:
        return str(mapped)
    return str(ipaddress.ip_network((address, _NETWORK_BITS), strict=False))
