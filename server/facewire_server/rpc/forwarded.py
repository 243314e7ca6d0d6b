"""Who a call comes from, behind a proxy: one that is trusted names its client in `x-forwarded-for`.

A proxy sends the calls of many clients over few connections, from one address. What is shared fairly by client, and what the
log and the audit say, then needs the client's own address; and a limit of calls for each connection would be one for all
cameras.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeAlias

import grpc
from grpc import aio

from facewire_server.rpc.crowding import address_of
from facewire_server.rpc.handlers import Behavior, wrapped

__all__ = ["ForwardedInterceptor", "TrustedProxies", "connection_of", "host_of", "is_forwarded"]

_HEADER = "x-forwarded-for"
"""Written by every proxy: the addresses that a call came from, the nearest one last."""

_UNIX = "unix"

_Address: TypeAlias = IPv4Address | IPv6Address
_Network: TypeAlias = IPv4Network | IPv6Network

_MAPPED_BITS = 96
"""Bits before the IPv4 address in an IPv6 address that stands for it (RFC 4291, 2.5.5.2)."""


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies whose `x-forwarded-for` is believed.

    Attributes:
        networks: their addresses.
        unix: whether whoever connects through a Unix socket is one.
    """

    networks: tuple[_Network, ...] = ()
    unix: bool = False

    @classmethod
    def of(cls, names: Sequence[str]) -> "TrustedProxies":
        """Reads addresses, networks such as "10.0.0.0/8", and "unix".

        Raises:
            ValueError: one is none of these.
        """
        networks = tuple(_plain(ip_network(name)) for name in names if name != _UNIX)
        return cls(networks, _UNIX in names)

    def has_peer(self, peer: str) -> bool:
        """Whether a peer, as gRPC writes it, is one of them."""
        if peer.startswith("unix:"):
            return self.unix
        address = _read(address_of(peer)[0])
        return address is not None and self._has(address)

    def client_of(self, peer: str, forwarded: str) -> str:
        """Returns the client of a call from a trusted peer, as gRPC writes it, without a port.

        It is the last address in the header that is not a trusted proxy's: what stands before that one the client
        may have written itself.

        Args:
            peer: of the connection; returned if the header names no client.
            forwarded: the header's value.
        """
        client = None
        for text in reversed(forwarded.split(",")):
            address = _read(text.strip())
            if address is None:
                break
            client = address
            if not self._has(address):
                break
        if client is None:
            return peer
        return f"ipv4:{client}" if client.version == 4 else f"ipv6:[{client}]"

    def _has(self, address: _Address) -> bool:
        return any(address in network for network in self.networks)


class ForwardedInterceptor(aio.ServerInterceptor):
    """Makes the client behind a trusted proxy the `peer` of the call's context."""

    def __init__(self, trusted: TrustedProxies) -> None:
        self._trusted = trusted

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the method's handler."""
        return wrapped(await continuation(handler_call_details), self._named)

    def _named(self, behavior: Behavior) -> Behavior:
        async def named(request: Any, context: Any) -> Any:
            peer = context.peer()
            if self._trusted.has_peer(peer):
                headers = context.invocation_metadata() or ()
                forwarded = ",".join(value for key, value in headers if key == _HEADER)
                context = _Forwarded(context, self._trusted.client_of(peer, forwarded))
            return await behavior(request, context)

        return named


class _Forwarded:
    """The context of a call that came through a trusted proxy: gRPC's, but for its peer."""

    def __init__(self, context: Any, client: str) -> None:
        self.connection: str = context.peer()
        self._context = context
        self._client = client

    def peer(self) -> str:
        return self._client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


def is_forwarded(context: Any) -> bool:
    """Whether a call came through a trusted proxy."""
    return isinstance(context, _Forwarded)


def connection_of(context: Any) -> str:
    """Returns the peer of a call's connection: the proxy, if it came through one."""
    peer: str = context.connection if is_forwarded(context) else context.peer()
    return peer


def host_of(peer: str) -> str:
    """Returns a peer without its port: the same for all connections of a client."""
    kind, _, address = peer.partition(":")
    host, _, port = address.rpartition(":")
    return f"{kind}:{host}" if host and port.isdigit() else peer


def _plain(network: _Network) -> _Network:
    """Returns a network of IPv4 addresses as such, as `_read` returns an address."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))


def _read(text: str) -> _Address | None:
    """Returns an address, which some proxies write with a port; None if it is none."""
    for candidate in (text.strip("[]"), text.rpartition(":")[0].strip("[]")):
        try:
            # Without a scope, which may be any text and belongs to another machine (RFC 4007).
            address = ip_address(candidate.partition("%")[0])
        except ValueError:
            continue
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return mapped or address
    return None
