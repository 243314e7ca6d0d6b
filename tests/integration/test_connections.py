"""Connections without a call do not lock others out, and one whose client hangs is noticed."""

import asyncio
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import facewire
from facewire_server.events import ConnectionsClosed, Event
from facewire_server.rpc import channel_options, crowding
from facewire_server.rpc.crowding import Crowding, address_of
from fakes.wire import config, frame, served
from harness.running import running_server

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""The start of a connection with empty settings (RFC 9113, section 3.4)."""

BEGINNING = b"\0\1\0\1\4\0\0\0\1" + bytes(8)
"""The beginning of a call's headers, whose other bytes do not come (RFC 9113, section 6.2)."""

linux = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")


def idle_connection(port: int) -> socket.socket:
    """A connection that has made itself known and calls nothing."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(PREFACE)
    return connection


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        return True
    except ConnectionError:
        pass
    return False


def end(connection: socket.socket) -> None:
    """Reads until the server has closed the connection; the socket's time limit fails the test."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass


@linux
async def test_silent_connections_are_closed_if_there_are_many_and_calls_go_on() -> None:
    events: list[Event] = []
    async with served() as wire:
        stream = wire.recognition.StreamRecognize()
        await stream.write(config())
        await stream.read()
        busy = wire.server._busy
        crowded = Crowding(wire.port, 1, busy, events.append)
        quiet = Crowding(wire.port, 1_000_000, busy, events.append)
        with ExitStack() as stack:
            connections = [stack.enter_context(idle_connection(wire.port)) for _ in range(3)]
            for connection in connections:  # the server's settings: it knows the connection
                assert await asyncio.to_thread(connection.recv, 9)
            await quiet.look()
            await quiet.look()
            await crowded.look()
            assert all(map(is_open, connections)), "at the first look they may be new"
            await crowded.look()
            for connection in connections:
                connection.settimeout(30)
                await asyncio.to_thread(end, connection)
        assert events == [ConnectionsClosed(3, 4)]
        await stream.write(frame(1))
        assert (await stream.read()).frame.sequence == 1
        stream.cancel()


@linux
async def test_a_connection_with_a_watcher_of_health_is_not_silent() -> None:
    async with served() as wire:
        watch = health_pb2_grpc.HealthStub(wire.channel).Watch(health_pb2.HealthCheckRequest())
        await watch.read()
        crowded = Crowding(wire.port, 1, wire.server._busy, lambda event: None)
        with idle_connection(wire.port) as connection:
            await crowded.look()
            await crowded.look()
            await asyncio.to_thread(end, connection)
        wire.server.health.set("", True)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()


@linux
async def test_the_watch_goes_on_after_a_moment_without_a_free_descriptor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowding, "_INTERVAL_S", 0.01)
    failed = asyncio.Event()
    events: list[Event] = []

    class Watched(Crowding):
        async def look(self) -> None:
            try:
                await super().look()
            except OSError:
                failed.set()
                raise

    async with served() as wire:
        with idle_connection(wire.port) as connection:
            watch = asyncio.create_task(Watched(wire.port, 1, frozenset, events.append).watch())
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
            try:
                await failed.wait()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await asyncio.to_thread(end, connection)
            assert not watch.done()
            watch.cancel()


@linux
def test_more_idle_connections_than_are_allowed_keep_a_client_out_for_a_moment_only(
    models: Path,
) -> None:
    with running_server(max_connections=20) as server, ExitStack() as stack:
        port = int(server.address.rpartition(":")[2])
        for number in range(40):
            connection = stack.enter_context(idle_connection(port))
            if number % 2:
                with suppress(OSError):  # the server may have closed it already
                    connection.sendall(BEGINNING)
        while True:
            with facewire.Client(server.address) as client:
                try:
                    client.server_info()
                    break
                except (facewire.UnavailableError, facewire.DeadlineError):
                    continue


async def test_a_client_that_replies_to_no_ping_loses_its_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """gRPC's own ping timeout of a minute does not count."""
    monkeypatch.setattr(channel_options, "_KEEPALIVE_MS", 1_000)
    monkeypatch.setattr(channel_options, "_KEEPALIVE_TIMEOUT_MS", 1_000)
    async with served() as wire:
        with idle_connection(wire.port) as connection:
            await asyncio.to_thread(end, connection)


async def test_a_connection_that_sends_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_options, "_HANDSHAKE_MS", 500)
    async with served() as wire:
        with socket.create_connection(("127.0.0.1", wire.port), timeout=30) as connection:
            await asyncio.to_thread(end, connection)


async def test_an_idle_connection_is_closed_and_one_with_a_stream_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel_options, "_IDLE_MS", 500)
    async with served() as wire:
        stream = wire.recognition.StreamRecognize()
        await stream.write(config())
        await stream.read()
        with idle_connection(wire.port) as connection:
            await asyncio.to_thread(end, connection)
        await stream.write(frame(1))
        assert (await stream.read()).frame.sequence == 1
        stream.cancel()


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.7:80", ("10.0.0.7", 80)),
        ("ipv6:%5B::1%5D:80", ("::1", 80)),
        ("ipv6:[::ffff:10.0.0.7]:80", ("10.0.0.7", 80)),
        ("unix:", ("", 0)),
    ],
)
def test_an_address_has_one_spelling(peer: str, address: tuple[str, int]) -> None:
    assert address_of(peer) == address


def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be() -> None:
    code = (
        "import resource; from facewire_server.host.open_files import raise_open_files;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128)); print(raise_open_files(),"
        "*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["128", "128", "128"]
