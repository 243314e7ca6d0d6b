"""The port of the metrics serves these and nothing else, whatever its clients do."""

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.registry import Collector

from facewire_server.telemetry import http as metrics_http
from facewire_server.telemetry.http import MetricsServer


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("facewire_tests", "Tests that ran", registry=registry).inc(3)
    return registry


@pytest.fixture
def server(registry: CollectorRegistry) -> Iterator[MetricsServer]:
    server = MetricsServer("127.0.0.1:0", registry)
    server.start()
    yield server
    server.stop()


def request(server: MetricsServer, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def connected(server: MetricsServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def is_closed(connection: socket.socket) -> bool:
    """Waits for what the server sends, and returns whether it only ended the connection."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_the_metrics_are_served(server: MetricsServer) -> None:
    status, body = request(server, "/metrics")
    assert status == 200
    assert "facewire_tests_total 3.0\n" in body


@pytest.mark.parametrize("path", ["/", "/metrics/", "/favicon.ico", "/../etc/passwd", "/Metrics"])
def test_nothing_else_is_served(server: MetricsServer, path: str) -> None:
    status, body = request(server, path)
    assert status == 404
    assert "facewire_" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_the_metrics_are_only_read(server: MetricsServer, method: str) -> None:
    assert request(server, "/metrics", method) == (405, "")


def test_a_taken_port_is_named(server: MetricsServer, registry: CollectorRegistry) -> None:
    with pytest.raises(OSError, match=f"127.0.0.1:{server.port} for metrics: .*already in use"):
        MetricsServer(f"127.0.0.1:{server.port}", registry)


@pytest.mark.parametrize("address", ["127.0.0.1:65536", "192.0.2.7:9464"])
def test_an_address_that_cannot_be_is_named(registry: CollectorRegistry, address: str) -> None:
    with pytest.raises(OSError, match=f"cannot listen on {address} for metrics: "):
        MetricsServer(address, registry)


def test_other_loopback_addresses_too(registry: CollectorRegistry) -> None:
    try:
        server = MetricsServer("[::1]:0", registry)
    except OSError:
        pytest.skip("this machine has no IPv6")
    server.start()
    with socket.create_connection(("::1", server.port), timeout=30) as connection:
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert connection.recv(12).startswith(b"HTTP/1.")
    server.stop()


def test_connections_beyond_the_limit_are_closed_unread(server: MetricsServer) -> None:
    idle = [connected(server) for _ in range(metrics_http._CONNECTIONS)]
    with connected(server) as one_more:
        assert is_closed(one_more)
    for connection in idle:
        connection.close()
    while True:  # a place is free once the server has seen a close
        try:
            assert request(server, "/metrics")[0] == 200
        except (http.client.RemoteDisconnected, ConnectionResetError):
            continue
        break


def test_a_client_that_never_finishes_is_cut_off(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_http, "_CONNECTION_S", 0.2)
    server = MetricsServer("127.0.0.1:0", registry)
    server.start()
    stop = threading.Event()
    with connected(server) as slow:

        def trickle() -> None:
            """A byte of a header now and then: each comes well within any time limit of a read."""
            while not stop.wait(0.02):
                try:
                    slow.sendall(b"x")
                except OSError:
                    return

        trickling = threading.Thread(target=trickle)
        slow.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
        trickling.start()
        assert is_closed(slow)
        stop.set()
        trickling.join()
    assert request(server, "/metrics")[0] == 200
    server.stop()


def test_what_cannot_be_read_is_no_text_of_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(Collector):
        def collect(self):
            raise KeyError("Alice Example")

    registry = CollectorRegistry()
    registry.register(Broken())
    server = MetricsServer("127.0.0.1:0", registry)
    server.start()
    status, body = request(server, "/metrics")
    server.stop()
    assert status == 503
    assert "Alice" not in body + "".join(capfd.readouterr())


def test_a_server_that_never_started_stops(registry: CollectorRegistry) -> None:
    server = MetricsServer("127.0.0.1:0", registry)
    port = server.port
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=30)
