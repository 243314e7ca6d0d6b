"""Reads an address of the settings, and looks up the IP addresses of its names."""

import re
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple, TypeAlias

from facewire_server.work.threads import run_within

__all__ = ["Host", "Lookup", "hosts", "look_up"]

_NAME: Final = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_DIGITS: Final = re.compile(r"[\d.]+")

_TIMEOUT_S: Final = 60.0
"""Seconds after which a look-up is given up, and its thread left behind. Chosen, not measured: glibc stops after 5 s, twice for each
name server, of which it takes three (resolv.conf(5))."""


class Host(NamedTuple):
    """One "host:port" of an address.

    Attributes:
        name: a DNS name, or an IP address without brackets.
        port: of TCP.
        is_name: whether it must be looked up.
    """

    name: str
    port: int
    is_name: bool


Lookup: TypeAlias = Callable[[Host], Awaitable[tuple[str, ...]]]
"""Returns the IP addresses of a name, without ports and brackets; raises OSError if it has none now."""


def hosts(address: str) -> tuple[Host, ...]:
    """Reads an address of the settings; what is there twice counts once.

    Args:
        address: "host:port", with a DNS name, an IPv4 address or an IPv6 address in brackets; or
            several of these with commas between them.

    Raises:
        ValueError: it is not an address.
    """
    return tuple(dict.fromkeys(_host(part.strip()) for part in address.split(",")))


async def look_up(host: Host) -> tuple[str, ...]:
    """Looks up the IP addresses of a name.

    Returns its IPv4 addresses; if it has none, its IPv6 addresses. TensorFlow Serving listens on IPv4 only, and one process
    must not count as two replicas. In a thread of its own: while no name server answers, it would hold one of the event loop's,
    of which there are few, and which the end of the process waits for.

    Raises:
        OSError: it has no address, or no name server answers.
    """
    found = await run_within(
        partial(socket.getaddrinfo, host.name, host.port, type=socket.SOCK_STREAM), _TIMEOUT_S
    )
    by_family = {
        family: sorted({str(to[0]) for kind, _, _, _, to in found if kind == family})
        for family in (socket.AF_INET, socket.AF_INET6)
    }
    return tuple(by_family[socket.AF_INET] or by_family[socket.AF_INET6])


def _host(part: str) -> Host:
    """Reads one "host:port"."""
    name, _, port = part.rpartition(":")
    try:
        if not port.isdecimal() or not 0 < int(port) < 1 << 16:
            raise ValueError(port)
        if name.startswith("[") and name.endswith("]"):
            return Host(str(IPv6Address(name[1:-1])), int(port), is_name=False)
        if _DIGITS.fullmatch(name):  # else a mistyped IPv4 address would be taken for a name
            return Host(str(IPv4Address(name)), int(port), is_name=False)
        if not _NAME.fullmatch(name):
            raise ValueError(name)
    except ValueError as error:
        raise ValueError(
            f"{part!r} is not host:port, as in mtcnn:8500, 10.0.0.5:8500 or [fd00::5]:8500"
        ) from error
    return Host(name, int(port), is_name=True)
