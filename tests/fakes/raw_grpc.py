"""A call in bytes that no library of gRPC would send: HTTP/2 with header values of any bytes."""

import socket
from collections.abc import Iterable
from typing import Final

__all__ = ["raw_status"]

PATIENCE_S: Final = 60.0
"""Seconds for a call, on a busy machine. Chosen, not measured."""

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS: Final = 4
_DATA: Final = 0
_HEADERS: Final = 1
_RESET: Final = 3
_GOAWAY: Final = 7
_END_STREAM: Final = 1
_END_HEADERS: Final = 4
_EMPTY_MESSAGE: Final = b"\0\0\0\0\0"
_STATUS: Final = b"grpc-status"


def raw_status(
    address: tuple[str, int], path: str, headers: Iterable[tuple[bytes, bytes]]
) -> int | str:
    """Calls a method with an empty message on a connection of its own.

    Returns:
        The status of gRPC; or how HTTP/2 ended it: "reset", "goaway" or "closed".
    """
    sent = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path.encode()),
        (b":authority", b"localhost"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *headers,
    ]
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in sent)
    with socket.create_connection(address, timeout=PATIENCE_S) as connection:
        connection.sendall(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, b"")
            + _frame(_HEADERS, _END_HEADERS, 1, block)
            + _frame(_DATA, _END_STREAM, 1, _EMPTY_MESSAGE)
        )
        with connection.makefile("rb") as received:
            while len(head := received.read(9)) == 9:
                content = received.read(int.from_bytes(head[:3], "big"))
                kind = head[3]
                if kind == _HEADERS and _STATUS in content:
                    # As gRPC's core writes it: a literal, its length before it, no Huffman code.
                    value = content.partition(_STATUS)[2]
                    return int(value[1 : 1 + value[0]])
                if kind in (_RESET, _GOAWAY):
                    return "reset" if kind == _RESET else "goaway"
    return "closed"


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    """A frame (RFC 9113, 4.1)."""
    return (
        len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content
    )


def _text(text: bytes) -> bytes:
    """A string literal of HPACK without Huffman code (RFC 7541, 5.1 and 5.2)."""
    if len(text) < 127:
        return bytes([len(text)]) + text
    rest, length = len(text) - 127, b"\x7f"
    while rest >= 128:
        length += bytes([rest % 128 + 128])
        rest //= 128
    return length + bytes([rest]) + text
