"""Addresses under which no camera streams: refusals, pages, silence, and films."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["answering", "silent"]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        self.send_response(server.status)
        self.send_header("Content-Type", server.content_type)
        if server.says_length:
            self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def answering(
    status: int, body: bytes = b"", *, content_type: str = "text/html", says_length: bool = True
) -> Iterator[str]:
    """The address, with a password in it, of a server that answers each request in one way."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as untyped:
        server: Any = untyped
        server.daemon_threads = True
        server.status, server.body = status, body
        server.content_type, server.says_length = content_type, says_length
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield f"http://ada:secret@127.0.0.1:{server.server_port}/door"
        finally:
            server.shutdown()
            serving.join()


@contextmanager
def silent() -> Iterator[tuple[str, threading.Event]]:
    """HOST:PORT of a server that takes a connection and never says anything, and what is set when it has one."""
    asked, taken = threading.Event(), []
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                taken.append(connection)
                asked.set()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}", asked
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for connection in taken:
                connection.close()
