"""Checks the address of a server before anything is sent."""

import ipaddress
import re

__all__ = ["checked_target", "split_target"]

_OWN_SCHEMES = ("dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "xds:")
"""Of addresses that gRPC reads by itself (https://github.com/grpc/grpc/blob/master/doc/naming.md); they are not checked."""

_MOST_PORT = 65535
"""Largest port of TCP."""


def checked_target(target: str) -> str:
    """Returns the address.

    Raises:
        ValueError: it is not HOST:PORT; the text says what is wrong.
    """
    if not target.startswith(_OWN_SCHEMES):
        shown = _redacted(target)
        fault = _fault(shown)
        if fault:
            raise ValueError(f"{shown!r} is not the address of a server: {fault}")
    return target


def split_target(target: str) -> tuple[str, int] | None:
    """Returns host and port; None if it is an address that gRPC reads by itself."""
    if target.startswith(_OWN_SCHEMES):
        return None
    host, _, port = target.rpartition(":")
    return host.strip("[]"), int(port)


def _redacted(target: str) -> str:
    """Returns the address as texts may show it: a user may have a password, with any of "/@?" in it, and a query a token."""
    scheme, separator, place = target.rpartition("://")
    _, user_ends, place = place.rpartition("@")
    user = "...@" if user_ends else ""
    return f"{scheme}{separator}{user}{re.sub(r'[?].+', '?...', place)}"


def _fault(target: str) -> str:
    """Returns what is wrong with an address that has no secrets; an empty text if nothing is."""
    scheme, separator, rest = target.partition("://")
    if separator:
        bare = re.split("[/?#]", rest.rpartition("@")[2])[0]
        tls = ", and turn TLS on" if scheme == "https" else ""
        return f"write it without {scheme}://, as {_example(bare)}{tls}"
    if not target:
        return "it is empty; write HOST:PORT"
    if re.search(r"\s", target):
        return "it has a space in it"
    if "/" in target:
        return (
            f"write it without a path, as {_example(target.rpartition('@')[2].partition('/')[0])}"
        )
    if "," in target:
        return "write one server"
    if "@" in target:
        return "write it without a user"
    host, _, port = target.rpartition(":")
    if not host.startswith("["):
        if _is_ipv6(target) or _is_ipv6(host):
            return f"write IPv6 in brackets, as {_bracketed(target)}"
    elif not host.endswith("]") or not _is_ipv6(host[1:-1].partition("%")[0]):
        return (
            "it has no port; write [ADDRESS]:PORT"
            if target.endswith("]")
            else "its brackets are wrong"
        )
    if not host:
        return f"it has no port; write {_example(target)}" if port == target else "it has no host"
    if not (port.isascii() and port.isdigit()):
        return f"its port, {port!r}, is not a number" if port else "it has no port"
    if not 0 < int(port) <= _MOST_PORT:
        return f"a port is a number from 1 to {_MOST_PORT}"
    return ""


def _example(bare: str) -> str:
    return bare if re.search(r":\d+$", bare) else f"{bare or 'HOST'}:50051"


def _bracketed(target: str) -> str:
    host, _, port = target.rpartition(":")
    return f"[{host}]:{port}" if _is_ipv6(host) and len(port) > 4 else f"[{target}]:50051"


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
