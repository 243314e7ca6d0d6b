"""Serves the metrics over HTTP: `GET /metrics` and nothing else, in its own threads."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

__all__ = ["MetricsServer"]

_CONNECTIONS: Final = 4
"""Connections at once; more are closed unread. Two Prometheus servers in a pair, and a person. Chosen, not
measured."""

_CONNECTION_S: Final = 10.0
"""Seconds after which a connection is cut, whatever its client does: the default scrape timeout of Prometheus."""

_POLL_S: Final = 0.1
"""Seconds between the listener's checks whether it should stop: the most by which it delays the server's end.
Chosen, not measured."""

_Start = Callable[[str, list[tuple[str, str]]], Any]


class MetricsServer:
    """The metrics of one registry on one port."""

    def __init__(self, address: str, registry: CollectorRegistry) -> None:
        """Binds the port.

        Args:
            address: "host:port"; port 0 = any free one.
            registry: whose metrics are served.

        Raises:
            OSError: the server cannot listen on the address: another server does, for example.
        """
        host, _, port = address.rpartition(":")
        server = _Server6 if ":" in host else _Server
        try:
            self._server = server((host.strip("[]"), int(port)), _Handler)
        except (OSError, OverflowError) as error:  # the latter if the port is above 65535
            why = getattr(error, "strerror", None) or error
            raise OSError(f"cannot listen on {address} for metrics: {why}") from error
        self._server.set_app(_metrics_only(make_wsgi_app(registry)))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[_POLL_S], name="metrics", daemon=True
        )

    @property
    def port(self) -> int:
        """The port of the server, also if 0 was asked for."""
        return self._server.server_port

    def start(self) -> None:
        """Serves from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stops listening. A running scrape goes on to its end, or to the end of the process."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self._free = threading.BoundedSemaphore(_CONNECTIONS)
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # HTTPServer's method is not called: it looks up the host's name, and may wait for a name server.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # not of AF_UNIX
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        cutting = threading.Timer(_CONNECTION_S, _cut, [request])
        cutting.daemon = True
        cutting.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            cutting.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Drops an error that a client caused on its connection; the default prints it to standard error."""


def _cut(connection: socket.socket) -> None:
    # Shut down, not closed: a thread that waits for bytes would not notice a close, and the descriptor
    # could belong to another connection by then.
    with contextlib.suppress(OSError):  # it has ended
        connection.shutdown(socket.SHUT_RDWR)


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Logs nothing: scrapes are routine."""


def _metrics_only(metrics: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def app(request: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
        if request["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"the metrics are at /metrics\n"]
        if request["REQUEST_METHOD"] != "GET":
            start_response("405 Method Not Allowed", [("Allow", "GET")])
            return [b""]
        try:
            return metrics(request, start_response)
        except Exception:  # noqa: BLE001 - wsgiref would print it, and what it quotes
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"the state of the server cannot be read now\n"]

    return app
