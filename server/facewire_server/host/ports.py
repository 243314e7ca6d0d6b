"""Finds out why a port cannot be listened on, and reserves one for several processes."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

__all__ = ["reserved_port", "why_not"]


def why_not(address: str) -> str:
    """Returns in words why a server cannot listen on "host:port" or "unix:PATH", by trying it; blocks.

    Linux names the reason, gRPC does not pass it on (its text names a variable for a log).
    """
    try:
        _try(address)
    except OSError as error:
        return _in_words(error)
    return "the address is free; gRPC's lines in the log may have the reason"


@contextmanager
def reserved_port(address: str) -> Iterator[int]:
    """Keeps a port for processes of this user that listen with SO_REUSEPORT, until the block ends.

    The sockets of the reservation are bound, and do not listen, so the kernel gives them no connection
    (socket(7), SO_REUSEPORT, since Linux 3.9). Without them another server would take the port while no worker has it.

    Args:
        address: "host:port"; port 0 = any free one.

    Yields:
        The port.

    Raises:
        OSError: the address cannot be used, or another server has or reserves it; the text says which.
    """
    port = int(address.rpartition(":")[2])
    with ExitStack() as kept:
        try:
            for family, place in _places(address):
                with _listening_alone(family, (place[0], port, *place[2:])) as alone:
                    port = alone.getsockname()[1]
                    kept.enter_context(_beside(alone, family))
        except OSError as error:
            raise OSError(f"cannot listen on {address}: {_in_words(error)}") from error
        yield port


@contextmanager
def _beside(alone: socket.socket, family: socket.AddressFamily) -> Iterator[None]:
    """Binds another socket to the port of one that listens alone, which may be closed then."""
    # From here on another may be bound beside it. It is, before the first one is closed.
    alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    with socket.socket(family, socket.SOCK_STREAM) as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reservation.bind(alone.getsockname())
        # With it, a second server could listen beside a reservation to which no worker listens yet.
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        yield


def _try(address: str) -> None:
    if address.startswith("unix:"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(address.removeprefix("unix:"))
        return
    with ExitStack() as probes:
        for family, place in _places(address):
            probes.enter_context(_listening_alone(family, place))


def _in_words(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another server is there already"
    return error.strerror or str(error)


@contextmanager
def _listening_alone(
    family: socket.AddressFamily, place: tuple[Any, ...]
) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections that ended a moment ago are no reason.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(place)
        probe.listen()
        yield probe


def _places(address: str) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    host, _, port = address.rpartition(":")
    found = socket.getaddrinfo(
        host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return list(dict.fromkeys((family, place) for family, _, _, _, place in found))
