"""Which proxy of the environment gRPC takes for a connection, by gRPC's rules."""

import ipaddress
import os
from typing import NamedTuple

__all__ = ["ForwardProxy", "forward_proxy"]

_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy")
_EXCEPTIONS = ("no_grpc_proxy", "no_proxy")
"""In gRPC's order (https://github.com/grpc/grpc/blob/master/doc/environment_variables.md). The first that is set counts, also
if it is empty: none of the later ones is read."""


class ForwardProxy(NamedTuple):
    """The proxy of the environment: its variable, and HOST:PORT of its URL, without user and password."""

    variable: str
    address: str


def forward_proxy(host: str) -> ForwardProxy | None:
    """Returns the proxy that gRPC takes for connections to a host; None if it takes none.

    gRPC reads URLs of the scheme http:// only, and takes no proxy for any other. Of the names in exceptions, grpcio 1.74 takes
    each end of a host's name, and 1.85 its domains only, as here.
    """
    variable = next((name for name in _VARIABLES if name in os.environ), None)
    if variable is None:
        return None
    scheme, _, rest = os.environ[variable].partition("://")
    if scheme.lower() != "http":
        return None
    excluded = next((os.environ[name] for name in _EXCEPTIONS if name in os.environ), "")
    if any(_is_excluded(host, entry.strip()) for entry in excluded.split(",") if entry.strip()):
        return None
    return ForwardProxy(variable, rest.partition("/")[0].rpartition("@")[2])


def _is_excluded(host: str, entry: str) -> bool:
    """Returns whether an exception names a host: by its name, its domain or its network (10.0.0.0/8)."""
    if "/" in entry:
        try:
            network = ipaddress.ip_network(entry, strict=False)
            return ipaddress.ip_address(host) in network
        except ValueError:
            return False
    return f".{host}".lower().endswith(f".{entry.removeprefix('.')}".lower())
