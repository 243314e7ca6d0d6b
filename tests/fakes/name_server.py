"""A DNS server of one thread: gRPC asks it when a target names it, as in `dns://127.0.0.1:PORT/NAME:8500`."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

__all__ = ["NameServer", "name_server"]

_HEADER = struct.Struct("!6H")
_NOT_FOUND = 3
_TYPE_A = 1


class NameServer:
    """Addresses by name, which a test may change at any time.

    Attributes:
        addresses: IPv4 addresses by name; a name that is not there is answered with NXDOMAIN.
        authority: "127.0.0.1:PORT".
        asked: number of queries for IPv4 addresses.
    """

    def __init__(self, bound: socket.socket) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.authority = f"127.0.0.1:{bound.getsockname()[1]}"
        self.asked = 0
        self._bound = bound

    def serve(self) -> None:
        """Answers queries until the socket is shut down."""
        while True:
            query, client = self._bound.recvfrom(512)
            if not query:
                return
            self._bound.sendto(self._answer(query), client)

    def _answer(self, query: bytes) -> bytes:
        number, *_ = _HEADER.unpack_from(query)
        labels, at = [], _HEADER.size
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[_HEADER.size : at + 5]
        is_a = question[-4:-2] == struct.pack("!H", _TYPE_A)
        self.asked += is_a
        addresses = self.addresses.get(".".join(labels))
        # A response (0x8180), its question repeated; each record points back to the name at byte 12.
        records = [
            struct.pack("!HHHIH4s", 0xC00C, _TYPE_A, 1, 0, 4, IPv4Address(one).packed)
            for one in (addresses or [])
            if is_a
        ]
        flags = 0x8180 | (_NOT_FOUND if addresses is None else 0)
        return _HEADER.pack(number, flags, 1, len(records), 0, 0) + question + b"".join(records)


@contextmanager
def name_server() -> Iterator[NameServer]:
    """Runs a name server until the block ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        server = NameServer(bound)
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"", bound.getsockname())
            thread.join()
