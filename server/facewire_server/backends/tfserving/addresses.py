"""Where the replicas of a servable are: host names and IP addresses, looked up again and again."""

import asyncio
import ipaddress
import re
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple, TypeAlias

from facewire_server.errors import ModelUnavailable

__all__ = ["Endpoint", "Replicas", "endpoints"]

_LOOK_UP_TIMEOUT_S: Final = 1.0
_NAME: Final = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_DIGITS: Final = re.compile(r"[\d.]+")

_Ip: TypeAlias = IPv4Address | IPv6Address


class Endpoint(NamedTuple):
    """One part of an address; the host is a DNS name, or an IP address without brackets."""

    host: str
    port: int


def endpoints(address: str, *, tls: bool = False) -> tuple[Endpoint, ...]:
    """Reads an address of the settings.

    Args:
        address: "host:port", or several with commas between them. A host is a DNS name, which may
            have several addresses, an IPv4 address, or an IPv6 address in brackets.
        tls: whether certificates will be checked, which are made out to one name.

    Raises:
        ValueError: it is none, or several hosts are to be checked.
    """
    found = tuple(_endpoint(part.strip()) for part in address.split(","))
    if tls and len(found) > 1:
        raise ValueError(
            "with TLS, several replicas need one DNS name, which their certificates have"
        )
    return found


class Replicas:
    """The hosts of one servable, and the addresses that they were last seen to have."""

    def __init__(self, address: str, *, tls: bool) -> None:
        """Looks nothing up yet.

        Args:
            address: as `endpoints` takes it.
            tls: whether certificates will be checked. gRPC then does the looking-up: it compares
                a certificate with the name that it was given.

        Raises:
            ValueError: not an address.
        """
        self._endpoints = endpoints(address, tls=tls)
        self._tls = tls
        self._known: dict[str, tuple[_Ip, ...]] = {}

    @property
    def count(self) -> int:
        """How many addresses are known; 0 before the first look-up, and with TLS."""
        return len(self._addresses())

    async def target(self) -> str:
        """Looks every host up, and gives gRPC's name of all addresses together.

        A host whose look-up fails keeps the addresses that it had, so what answers is not lost with
        the name server. The same addresses give the same name.

        Raises:
            ModelUnavailable: no address of any host is known.
        """
        if self._tls:
            ((host, port),) = self._endpoints
            return f"dns:///{f'[{host}]' if ':' in host else host}:{port}"
        await asyncio.gather(
            *(self._look_up(host) for host in {one.host for one in self._endpoints})
        )
        addresses = self._addresses()
        if not addresses:
            hosts = ", ".join(one.host for one in self._endpoints)
            raise ModelUnavailable(f"no address of {hosts} is found")
        if all(ip.version == 4 for ip, _ in addresses):
            return "ipv4:" + ",".join(sorted(f"{ip}:{port}" for ip, port in addresses))
        # A target has addresses of one kind; a socket for IPv6 reaches IPv4 by mapped ones.
        return "ipv6:" + ",".join(sorted(f"[{_as_ipv6(ip)}]:{port}" for ip, port in addresses))

    def _addresses(self) -> set[tuple[_Ip, int]]:
        return {(ip, port) for host, port in self._endpoints for ip in self._known.get(host, ())}

    async def _look_up(self, host: str) -> None:
        looking = asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        try:
            infos = await asyncio.wait_for(looking, _LOOK_UP_TIMEOUT_S)
        except (OSError, UnicodeError, TimeoutError):  # UnicodeError: a label of 64 characters
            return
        self._known[host] = tuple(ipaddress.ip_address(info[4][0]) for info in infos)


def _endpoint(part: str) -> Endpoint:
    host, _, port = part.rpartition(":")
    try:
        if not port.isdecimal() or not 0 < int(port) < 1 << 16:
            raise ValueError(port)
        return Endpoint(_host(host), int(port))
    except ValueError as error:
        raise ValueError(
            f"{part!r} is not host:port, as in mtcnn:8500, 10.0.0.5:8500 or [fd00::5]:8500"
        ) from error


def _host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        return str(IPv6Address(text[1:-1]))
    if _DIGITS.fullmatch(text):
        return str(IPv4Address(text))
    if not _NAME.fullmatch(text):
        raise ValueError(text)
    return text


def _as_ipv6(ip: _Ip) -> str:
    return str(ip) if ip.version == 6 else f"::ffff:{ip}"
