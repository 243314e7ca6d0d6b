"""Converts an address of the settings to gRPC's name of a target.

One host may be a DNS name with several addresses; gRPC resolves it. Several hosts are IP addresses of one kind, since
gRPC has no name for more (docs/decisions/0015).
"""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

__all__ = ["Target", "target"]

_NAME: Final = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_DIGITS: Final = re.compile(r"[\d.]+")


class Target(NamedTuple):
    """The target of a channel.

    Attributes:
        name: as gRPC writes it: `dns:///mtcnn:8500`, `ipv4:10.0.0.5:8500,10.0.0.6:8500`.
        replica_count: number of addresses; 0 = unknown, since gRPC resolves a DNS name.
    """

    name: str
    replica_count: int


def target(address: str, *, tls: bool = False) -> Target:
    """Converts an address of the settings.

    Args:
        address: "host:port", with a DNS name, an IPv4 address or an IPv6 address in brackets; or
            several IP addresses of one kind, each with its port, with commas between them.
        tls: whether certificates will be checked; they name one host.

    Raises:
        ValueError: it is not an address, mixes kinds, has several DNS names, or has several hosts
            with TLS.
    """
    parts = [part.strip() for part in address.split(",")]
    kinds = {_kind(part) for part in parts}
    if len(parts) == 1:
        # gRPC accepts an IP address after dns:///, too, and checks a certificate against either.
        return Target(f"dns:///{parts[0]}", 0 if kinds == {"dns"} else 1)
    if tls:
        raise ValueError(
            "with TLS, several replicas need one DNS name, which their certificates have"
        )
    if len(kinds) > 1 or kinds == {"dns"}:
        raise ValueError(
            "several replicas are IP addresses of one kind, as in 10.0.0.5:8500,10.0.0.6:8500, or "
            "one DNS name that has all their addresses, as in mtcnn:8500"
        )
    return Target(f"{kinds.pop()}:{','.join(parts)}", len(set(parts)))


def _kind(part: str) -> str:
    """Returns the scheme of one "host:port": "dns", "ipv4" or "ipv6"."""
    host, _, port = part.rpartition(":")
    try:
        if not port.isdecimal() or not 0 < int(port) < 1 << 16:
            raise ValueError(port)
        if host.startswith("[") and host.endswith("]"):
            IPv6Address(host[1:-1])
            return "ipv6"
        if _DIGITS.fullmatch(host):  # else a mistyped IPv4 address would be taken for a name
            IPv4Address(host)
            return "ipv4"
        if not _NAME.fullmatch(host):
            raise ValueError(host)
    except ValueError as error:
        raise ValueError(
            f"{part!r} is not host:port, as in mtcnn:8500, 10.0.0.5:8500 or [fd00::5]:8500"
        ) from error
    return "dns"
