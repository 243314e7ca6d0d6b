"""Clients that break every rule, with sockets of their own: a clear status or a cut, bounded memory, and others unhurt."""

import contextlib
import socket
import struct
from collections.abc import Iterator

import pytest

from harness.console_running import RunningConsole, running_console

MIB = 1 << 20


@pytest.fixture(scope="module")
def attacked(server) -> Iterator[RunningConsole]:
    with running_console(server.address, max_connections=40) as console:
        yield console


def head(request: str, *headers: str) -> bytes:
    return "\r\n".join([f"{request} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


def rest(connection: socket.socket) -> bytes:
    """Everything until the console closes the connection, also roughly."""
    received = bytearray()
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while piece := connection.recv(65536):
            received += piece
    return bytes(received)


def send_until_cut(connection: socket.socket, piece: bytes, count: int) -> int:
    """Sends a piece again and again; returns the bytes sent when the console cut the connection, or all."""
    sent = 0
    with contextlib.suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
        for _ in range(count):
            connection.sendall(piece)
            sent += len(piece)
    return sent


def is_well(console: RunningConsole) -> bool:
    return console.send("GET", "/api/status").status == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 100 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/recognize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST /api/recognize HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"G" * 70_000,
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 70_000,
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 20_000,
    ],
)
def test_garbage_is_refused_and_cut(attacked, garbage) -> None:
    with attacked.connect() as connection:
        send_until_cut(connection, garbage, 1)
        answer = rest(connection)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 421")) or answer == b""
    assert is_well(attacked)


@pytest.mark.parametrize("path", ["/api/recognize", "/v1/frames/x", "/api/identities"])
def test_a_declared_gigabyte_is_refused_before_it_is_read(attacked, path) -> None:
    with attacked.connect() as connection:
        connection.sendall(head(f"POST {path}", "Content-Length: 1073741824"))
        assert rest(connection).startswith(b"HTTP/1.1 413")


def test_an_undeclared_gigabyte_is_cut_and_not_kept(attacked) -> None:
    before = attacked.rss_bytes()
    chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
    with attacked.connect() as connection:
        connection.sendall(head("POST /api/recognize", "Transfer-Encoding: chunked"))
        sent = send_until_cut(connection, chunk, 1024)
    assert sent < 64 * MIB
    assert attacked.rss_bytes() - before < 128 * MIB
    assert is_well(attacked)


def test_bodies_of_all_clients_together_are_bounded(server) -> None:
    """Forty clients that each leave out the last byte of four MiB: more than the memory for them."""
    with (
        running_console(server.address, max_image_bytes=4 * MIB) as console,
        contextlib.ExitStack() as open_ones,
    ):
        before = console.rss_bytes()
        declared = head("POST /api/recognize", f"Content-Length: {4 * MIB}")
        refused = 0
        for _ in range(40):
            connection = open_ones.enter_context(console.connect())
            connection.sendall(declared)
            if send_until_cut(connection, bytes(MIB // 4), 15) < 15 * MIB // 4:
                refused += 1
        assert console.rss_bytes() - before < 200 * MIB
        assert is_well(console)


def test_slow_headers_are_cut_and_do_not_shut_others_out(attacked) -> None:
    with contextlib.ExitStack() as open_ones:
        slow = [open_ones.enter_context(attacked.connect()) for _ in range(100)]
        for connection in slow:
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                connection.sendall(b"GET /api/status HTTP/1.1\r\nHost: ")
        assert is_well(attacked), (
            "more connections than there may be, and still a place for another"
        )
        for connection in slow:
            assert rest(connection) == b""


def test_a_body_that_does_not_come_is_refused(attacked) -> None:
    with attacked.connect() as connection:
        connection.sendall(head("POST /api/recognize", "Content-Length: 1000") + b"x")
        assert rest(connection).startswith(b"HTTP/1.1 408")


def test_a_client_that_never_reads_is_cut(attacked, server) -> None:
    with attacked.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = head("GET /openapi.json")
        sent = send_until_cut(connection, request, 100_000)
        assert sent < 100_000 * len(request)
    assert is_well(attacked)


def handshake(connection: socket.socket, *headers: str) -> bytes:
    connection.sendall(
        head(
            "GET /ws/live",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *headers,
        )
    )
    received = b""
    while b"\r\n\r\n" not in received and (piece := connection.recv(1)):
        received += piece
    return received


def masked(opcode: int, payload: bytes, *, declared: int | None = None) -> bytes:
    """A frame of RFC 6455 with the mask 0; `declared` is a length that is not true."""
    length = len(payload) if declared is None else declared
    if length < 126:
        size = struct.pack("!B", 0x80 | length)
    elif length < 65536:
        size = struct.pack("!BH", 0x80 | 126, length)
    else:
        size = struct.pack("!BQ", 0x80 | 127, length)
    return bytes([0x80 | opcode]) + size + bytes(4) + payload


@pytest.mark.parametrize(
    "frame",
    [
        masked(2, b"", declared=1 << 30),
        masked(2, b"", declared=(1 << 63) - 1),
        masked(3, b"x"),
        b"\x81\x05hello",  # not masked
        masked(1, b"\xff\xfe"),
        bytes(range(256)),
    ],
)
def test_a_broken_websocket_frame_is_closed(attacked, frame) -> None:
    before = attacked.rss_bytes()
    with attacked.connect() as connection:
        assert handshake(connection).startswith(b"HTTP/1.1 101")
        connection.sendall(frame)
        answer = rest(connection)
    assert answer[:1] in (b"\x88", b""), "a close frame, or a cut"
    assert attacked.rss_bytes() - before < 32 * MIB
    assert is_well(attacked)


@pytest.mark.parametrize("size_bytes", [(16 << 20) + 1, 1 << 30])
def test_a_picture_above_the_limit_is_closed_before_it_comes(attacked, size_bytes) -> None:
    with attacked.connect() as connection:
        handshake(connection)
        connection.sendall(masked(2, b"", declared=size_bytes))
        answer = rest(connection)
    assert answer[0] == 0x88
    assert answer[2:4] == struct.pack("!H", 1009)


def test_a_message_in_endless_pieces_is_closed(attacked) -> None:
    piece = bytearray(masked(0, bytes(MIB)))
    piece[0] = 0x00  # a continuation, and not the last one
    first = bytearray(masked(2, bytes(MIB)))
    first[0] = 0x02
    with attacked.connect() as connection:
        handshake(connection)
        connection.sendall(bytes(first))
        assert send_until_cut(connection, bytes(piece), 256) < 64 * MIB
    assert is_well(attacked)


def test_a_websocket_without_a_config_is_closed(attacked) -> None:
    with attacked.connect() as connection:
        handshake(connection)
        answer = rest(connection)
    assert b"no config came" in answer
    assert struct.pack("!H", 1008) in answer


def test_a_foreign_origin_and_a_foreign_host_get_no_websocket(attacked) -> None:
    with attacked.connect() as connection:
        assert handshake(connection, "Origin: http://evil.example").startswith(b"HTTP/1.1 403")
    with attacked.connect() as connection:
        assert handshake(connection, "Sec-Fetch-Site: cross-site").startswith(b"HTTP/1.1 403")


def test_connections_that_are_cut_in_the_middle_leave_nothing(attacked, portrait) -> None:
    for _ in range(50):
        with attacked.connect() as connection:
            connection.sendall(head("POST /v1/frames/cut", f"Content-Length: {len(portrait)}"))
            connection.sendall(portrait[: len(portrait) // 2])
            # RST instead of FIN
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert attacked.send("POST", "/v1/frames/cut", portrait).status == 200
    assert "fault" not in attacked.log()
