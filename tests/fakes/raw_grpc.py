"""Calls in bytes that no library of gRPC would send: HTTP/2 in frames of the test's own."""

import contextlib
import socket
from collections.abc import Iterable, Sequence
from enum import IntEnum
from types import TracebackType
from typing import Final, Self

__all__ = ["END_HEADERS", "END_STREAM", "FrameType", "RawConnection", "call_headers", "header_block", "http2_frame", "raw_status"]  # fmt: skip

PATIENCE_S: Final = 60.0
"""Seconds for a call, on a busy machine. Chosen, not measured."""

END_STREAM: Final = 1
END_HEADERS: Final = 4
"""Flags of a frame (RFC 9113, 6.1 and 6.2)."""

_ACK: Final = 1
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_EMPTY_MESSAGE: Final = b"\0\0\0\0\0"
_STATUS: Final = b"grpc-status"


class FrameType(IntEnum):
    """Types of frames (RFC 9113, 6)."""

    DATA = 0
    HEADERS = 1
    RESET = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    CONTINUATION = 9


class RawConnection:
    """A connection that is open in a `with` block. It sends no reply to pings, and one to settings only if it was asked for."""

    def __init__(self, address: tuple[str, int], *, preface: bool = True) -> None:
        """Connects; with `preface` it begins as HTTP/2 wants it (RFC 9113, 3.4)."""
        self._socket = socket.create_connection(address, timeout=PATIENCE_S)
        if preface:
            self.send(_PREFACE + http2_frame(FrameType.SETTINGS, 0, 0, b""))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def send(self, *pieces: bytes) -> bool:
        """Sends bytes; returns whether the server took them: not if it has closed the connection, or reads no more."""
        try:
            for piece in pieces:
                self._socket.sendall(piece)
        except (ConnectionError, TimeoutError):
            return False
        return True

    def end(self) -> int | str:
        """Reads until a call or the connection has ended.

        Returns:
            The status of gRPC; or how HTTP/2 ended it: "reset", "goaway" or "closed".

        Raises:
            TimeoutError: nothing came.
        """
        with contextlib.suppress(ConnectionError), self._socket.makefile("rb") as received:
            while len(head := received.read(9)) == 9:
                content = received.read(int.from_bytes(head[:3], "big"))
                kind = head[3]
                if kind == FrameType.HEADERS and _STATUS in content:
                    # As gRPC's core writes it: a literal, its length before it, no Huffman code.
                    value = content.partition(_STATUS)[2]
                    return int(value[1 : 1 + value[0]])
                if kind in (FrameType.RESET, FrameType.GOAWAY):
                    return "reset" if kind == FrameType.RESET else "goaway"
        return "closed"

    def acknowledge_settings(self) -> None:
        """Waits for the server's settings, and acknowledges them: gRPC ends a connection that does not within a minute."""
        self._socket.recv(1)
        self.send(http2_frame(FrameType.SETTINGS, _ACK, 0, b""))


def raw_status(
    address: tuple[str, int], path: str, headers: Iterable[tuple[bytes, bytes]]
) -> int | str:
    """Calls a method with an empty message on a connection of its own; returns what `RawConnection.end` does."""
    with RawConnection(address) as connection:
        connection.send(
            http2_frame(FrameType.HEADERS, END_HEADERS, 1, call_headers(path, tuple(headers))),
            http2_frame(FrameType.DATA, END_STREAM, 1, _EMPTY_MESSAGE),
        )
        return connection.end()


def call_headers(path: str, more: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """The header block of a call."""
    sent = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path.encode()),
        (b":authority", b"localhost"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *more,
    ]
    return header_block(sent)


def header_block(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as literals that are not indexed (RFC 7541, 6.2.2)."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in headers)


def http2_frame(kind: FrameType, flags: int, stream: int, content: bytes) -> bytes:
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
