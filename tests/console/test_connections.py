"""Connections that are only held: in a TLS handshake, in an upgrade, or by one address that wants all places."""

import contextlib
import http.client
import json
import os
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.test_bad_clients import handshake, head, is_well, masked, rest
from facewire_console.__main__ import _listen
from facewire_console.guard.places import Places
from facewire_console.settings import Settings
from harness.certificates import self_signed
from harness.console_running import RunningConsole, running_console

_PLACES = 20
_NO_SERVER = "127.0.0.1:1"


@pytest.fixture(scope="module")
def small() -> Iterator[RunningConsole]:
    with running_console(_NO_SERVER, max_connections=_PLACES) as console:
        yield console


@pytest.mark.parametrize(
    "headers",
    [["X: y"] * 140, ["Content-Length: 5"], ["Transfer-Encoding: chunked"], ["X: \x01"]],
    ids=["many", "length", "chunked", "control"],
)
def test_an_upgrade_that_cannot_be_read_is_refused_and_holds_no_place(small, headers) -> None:
    for _ in range(2 * _PLACES):
        with small.connect() as connection:
            answer = handshake(connection, *headers) + rest(connection)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"content-security-policy: default-src 'self'" in answer
        error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
        assert error["reason"] == "BAD_REQUEST"
    assert is_well(small)


def test_what_is_no_http_is_refused_as_everything_is(small) -> None:
    with small.connect() as connection:
        connection.sendall(b"GARBAGE\r\n\r\n")
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"x-content-type-options: nosniff" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["reason"] == "BAD_REQUEST"
    assert small.log() == "", "clients fill no disk"


def test_one_address_shuts_no_other_out(small) -> None:
    """Requests in progress of one address hold all places; another address comes nevertheless."""
    with contextlib.ExitStack() as open_ones:
        for _ in range(2 * _PLACES):
            slow = open_ones.enter_context(
                socket.create_connection(
                    (small.host, small.port), source_address=("127.0.0.2", 0), timeout=60
                )
            )
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                slow.sendall(head("POST /api/login", "Content-Length: 9") + b"{")
        assert is_well(small)


def test_a_websocket_message_in_endless_empty_pieces_is_closed(small) -> None:
    piece = bytearray(masked(0, b""))
    piece[0] = 0x00  # a continuation, and not the last one
    first = bytearray(masked(2, b""))
    first[0] = 0x02
    with small.connect() as connection:
        handshake(connection)
        connection.sendall(bytes(first))
        connection.sendall(bytes(piece) * 5000)
        assert struct.pack("!H", 1009) in rest(connection)
    assert is_well(small)


def _sockets(console: RunningConsole) -> int:
    fds = Path(f"/proc/{console.pid}/fd")
    links = []
    for each in fds.iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(each))
    return sum(link.startswith("socket:") for link in links)


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningConsole, Path]]:
    certificate, key = self_signed(tmp_path_factory.mktemp("tls"))
    with running_console(
        _NO_SERVER, max_connections=_PLACES, tls_certificate=certificate, tls_key=key
    ) as console:
        yield console, certificate


def _status(console: RunningConsole, certificate: Path) -> int:
    context = ssl.create_default_context(cafile=certificate)
    connection = http.client.HTTPSConnection(
        console.host, console.port, context=context, timeout=60
    )
    with contextlib.closing(connection):
        connection.request("GET", "/api/status")
        return connection.getresponse().status


def test_tls_handshakes_that_never_end_are_counted_and_cut(encrypted) -> None:
    console, certificate = encrypted
    assert _status(console, certificate) == 200
    before = _sockets(console)
    with contextlib.ExitStack() as open_ones:
        silent = [open_ones.enter_context(console.connect()) for _ in range(3 * _PLACES)]
        for connection in silent[::2]:
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                connection.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        assert _status(console, certificate) == 200
        assert _sockets(console) <= before + _PLACES + 1
        for connection in silent:
            assert rest(connection) == b""
    assert console.log() == ""


def test_a_request_that_comes_with_the_handshakes_end_is_answered(encrypted) -> None:
    console, certificate = encrypted
    context = ssl.create_default_context(cafile=certificate)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with console.connect() as connection:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))
        client.write(head("GET /api/status", "Connection: close"))
        connection.sendall(outgoing.read())  # the handshake's last message, and the request
        incoming.write(connection.recv(65536))
        received = b""
        while b"HTTP/1.1 200" not in received:
            try:
                received += client.read(65536)
            except ssl.SSLWantReadError:
                incoming.write(connection.recv(65536))


def test_plain_http_on_the_port_of_tls_is_cut(encrypted) -> None:
    console, _ = encrypted
    with console.connect() as connection:
        connection.sendall(head("GET /api/status"))
        assert not rest(connection).startswith(b"HTTP")
    assert console.log() == ""


def test_a_client_whose_machine_is_gone_is_let_go_by_the_kernel() -> None:
    with _listen(Settings(port=0)) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


class Connection:
    """A connection that notes that it was cut off."""

    def __init__(self) -> None:
        self.is_cut = False

    def give_way(self) -> None:
        self.is_cut = True


def taken(places: Places, *addresses: str) -> list[Connection]:
    connections = [Connection() for _ in addresses]
    for connection, address in zip(connections, addresses, strict=True):
        places.take(connection, (address, 1))
    return connections


def test_the_address_with_most_connections_gives_the_one_up_that_waits_longest() -> None:
    places = Places(4)
    many = taken(places, "10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.1")
    places.work(many[0])
    (new,) = taken(places, "10.0.0.3")
    assert [each.is_cut for each in [*many, new]] == [False, True, False, False, False]


def test_the_same_network_is_one_client_and_requests_in_progress_are_kept() -> None:
    places = Places(2)
    first, second = taken(places, "2001:db8::1", "2001:db8::2")
    places.work(first)
    places.work(second)
    (new,) = taken(places, "2001:db8::3")
    assert (first.is_cut, second.is_cut, new.is_cut) == (False, False, True)
    (other,) = taken(places, "2001:db8:1::1")
    assert (first.is_cut, second.is_cut, other.is_cut) == (False, True, False)
    places.leave(first)
    taken(places, "::ffff:10.0.0.1")
    assert not other.is_cut
