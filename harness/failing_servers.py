"""Servers that cannot be reached, or refuse a client, each for another reason, and what is to be found out about it.

All are real: sockets, TLS with certificates that are made here, gRPC servers that know no method, bytes of HTTP.
"""

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from facewire import (
    AuthenticationError,
    Client,
    ConnectionFault,
    LimitError,
    NotSupportedError,
    UnavailableError,
    UnreachableError,
)
from harness.certificates import expired, self_signed
from harness.running import running_server

__all__ = ["Failing", "refusing_server", "unreachable_servers", "wrong_addresses"]

_TOKEN = "a-token-of-this-test"
_BETWEEN_FRAMES_S = 0.1
"""Seconds between frames of the stream that takes the place. Chosen, not measured."""

_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_SETTINGS, _ACKNOWLEDGED = b"\0\0\0\4\0\0\0\0\0", b"\0\0\0\4\1\0\0\0\0"
_PREFACE_BYTES, _FRAME_HEADER_BYTES = 24, 9
"""Of HTTP/2 (RFC 9113, 3.4 and 4.1)."""

_BUSY = "another process of this server has fewer streams: open a new connection"
"""What a worker says (`streams.registry`)."""

_HEADERS, _ENDS = 1, 5
"""The type of a frame of headers, and the flags END_STREAM and END_HEADERS (RFC 9113, 6.2)."""

_BACKLOG = 4
"""Connections that fill a backlog of none. Measured on Linux: two do."""

_Handler = Callable[[socket.socket], None]


class Failing(NamedTuple):
    """A server that a client does not reach, or that refuses it.

    Attributes:
        what: what is wrong, in words.
        address: HOST:PORT.
        kind: the error that is to be raised.
        fault: what is to be found out about the connection.
        tls: the client trusts the public roots.
        roots: the PEM file that it trusts.
        token: what it shows.
        streams: it opens a stream; else it makes a call.
        environment: variables to set.
    """

    what: str
    address: str
    kind: type[Exception] = UnreachableError
    fault: ConnectionFault | None = None
    tls: bool = False
    roots: Path | None = None
    token: str | None = None
    streams: bool = False
    environment: Mapping[str, str] = MappingProxyType({})


def wrong_addresses() -> list[Failing]:
    """Addresses that are refused before anything is sent."""
    return [
        Failing("an address without a port", "127.0.0.1", ValueError),
        Failing("a port that cannot be", "127.0.0.1:70000", ValueError),
        Failing("a URL", "http://127.0.0.1:50051", ValueError),
        Failing("IPv6 without brackets", "::1:50051", ValueError),
    ]


@contextmanager
def unreachable_servers() -> Iterator[list[Failing]]:
    """Runs servers that are not reached, until the block ends.

    Raises:
        FileNotFoundError: there is no openssl.
    """
    with ExitStack() as stack:
        made = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
        pair, other, old = self_signed(made[0]), self_signed(made[1], "DNS:other"), expired(made[2])

        def tcp(handler: _Handler) -> str:
            return stack.enter_context(_tcp(handler))

        def rpc(credentials: grpc.ServerCredentials | None = None) -> str:
            return stack.enter_context(_grpc(credentials))

        def failing(what: str, address: str, fault: ConnectionFault, **given: Any) -> Failing:
            return Failing(what, address, fault=fault, **given)

        fault, roots = ConnectionFault, pair[0]
        plain, secure = rpc(), rpc(_credentials(pair))
        by_name = secure.replace("127.0.0.1", "localhost")
        mutual = rpc(_credentials(pair, mutual=True))
        proxy = {"http_proxy": "http://ada:secret@127.0.0.1:1", "no_proxy": ""}
        yield [
            failing("a host that does not exist", "no-such-host.invalid:50051", fault.UNKNOWN_HOST),
            failing("a port on which nothing listens", "127.0.0.1:1", fault.REFUSED),
            failing("a port of a name on which nothing listens", "localhost:1", fault.REFUSED),
            failing("a host that drops all packets", stack.enter_context(_full()), fault.NO_RESPONSE),
            failing("a port that takes connections and is silent", tcp(_silent), fault.NO_RESPONSE),
            failing("a port that closes every connection", tcp(lambda _: None), fault.CLOSED),
            failing("a web server (HTTP/1.1)", tcp(_http1), fault.NOT_GRPC),
            failing("a web server with TLS", tcp(_over_tls(pair)), fault.NOT_GRPC, roots=roots),
            Failing("a gRPC server of another kind", plain, NotSupportedError),
            failing("TLS is off here, and on there", secure, fault.TLS_NEEDED),
            failing("TLS is on here, and off there", plain, fault.TLS_NOT_SPOKEN, roots=roots),
            failing("a certificate of its own, and only public roots are trusted", secure, fault.UNTRUSTED, tls=True),
            failing("the same, by a name", by_name, fault.UNTRUSTED, tls=True),
            failing("another server's certificate is trusted", secure, fault.UNTRUSTED, roots=other[0]),
            failing("a certificate for another name", rpc(_credentials(other)), fault.OTHER_NAME, roots=other[0]),
            failing("an expired certificate", rpc(_credentials(old)), fault.EXPIRED, roots=old[0]),
            failing("a server that wants certificates of clients", mutual, fault.CLIENT_CERTIFICATE, roots=roots),
            failing("a proxy before a server that is down (502)", tcp(_http2(502)), fault.BEHIND_PROXY),
            failing("a proxy that knows no such path (404)", tcp(_http2(404)), fault.NOT_GRPC),
            failing("a proxy that limits a request (413)", tcp(_http2(413)), fault.BEHIND_PROXY),
            failing("a proxy of the environment that is down", "cameras.invalid:50051", fault.FORWARD_PROXY, environment=proxy),
        ]  # fmt: skip


@contextmanager
def refusing_server(picture: bytes) -> Iterator[list[Failing]]:
    """Runs a facewire server that wants a token, and whose one place for a stream is taken, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "token"
        file.write_text(_TOKEN)
        file.chmod(0o600)
        ended = threading.Event()

        def frames() -> Iterator[bytes]:
            while not ended.wait(_BETWEEN_FRAMES_S):  # a stream without frames would lose its place
                yield picture

        with running_server(token_file=file, max_streams=1) as server, _busy_worker() as busy:
            address = server.address
            with Client(address, token=_TOKEN) as client, client.stream(frames()) as holding:
                reading = threading.Thread(target=lambda: list(holding))
                reading.start()
                yield [
                    Failing("no token", address, AuthenticationError),
                    Failing("a wrong token", address, AuthenticationError, token="w" * 16),
                    Failing("a server with no place for a stream", address, LimitError, token=_TOKEN, streams=True),
                    Failing("a worker, while others have fewer streams", busy, UnavailableError, streams=True),
                ]  # fmt: skip
                ended.set()
                reading.join()


@contextmanager
def _tcp(handler: _Handler) -> Iterator[str]:
    """Handles each connection in a thread, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def handle(connection: socket.socket) -> None:
            with connection, suppress(OSError):  # the client has gone
                handler(connection)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        serving.join()


@contextmanager
def _grpc(credentials: grpc.ServerCredentials | None) -> Iterator[str]:
    """A server that knows no method."""
    server: Any = grpc.server(ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
    place = "127.0.0.1:0"
    port = (
        server.add_insecure_port(place)
        if credentials is None
        else server.add_secure_port(place, credentials)
    )
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


class _Busy(grpc.GenericRpcHandler):
    """Refuses every stream as a worker does that has more of them than another."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Handles StreamRecognize; there is no other method."""
        if not handler_call_details.method.endswith("/StreamRecognize"):
            return None
        return grpc.stream_stream_rpc_method_handler(_refuse)


def _refuse(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    status = status_pb2.Status(code=code_pb2.UNAVAILABLE, message=_BUSY)
    info = error_details_pb2.ErrorInfo(reason="WORKER_BUSY", domain="facewire")
    for detail in (info, error_details_pb2.RetryInfo()):
        status.details.add().Pack(detail)
    context.abort_with_status(rpc_status.to_status(status))
    yield b""


@contextmanager
def _busy_worker() -> Iterator[str]:
    """A server of which each connection reaches the same busy worker: of a real one a connection is served after four refusals."""
    server = grpc.server(ThreadPoolExecutor(1), handlers=[_Busy()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


@contextmanager
def _full() -> Iterator[str]:
    """A port whose backlog is full: the kernel drops further attempts, as a firewall does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, ExitStack() as waiting:
        for _ in range(_BACKLOG):
            connection = waiting.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(listening.getsockname())
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def _credentials(pair: tuple[Path, Path], *, mutual: bool = False) -> grpc.ServerCredentials:
    certificate, key = (path.read_bytes() for path in pair)
    roots = certificate if mutual else None
    return grpc.ssl_server_credentials([(key, certificate)], roots, require_client_auth=mutual)


def _silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def _http1(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(_BAD_REQUEST)


def _over_tls(pair: tuple[Path, Path]) -> _Handler:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            _http1(secure)

    return handle


def _http2(status: int) -> _Handler:
    """Responds to each request with a status of HTTP, and no body."""
    headers = b"\x08\x03" + str(status).encode()  # ":status", not indexed (RFC 7541, 6.2.2)

    def handle(connection: socket.socket) -> None:
        with connection.makefile("rb") as received:
            received.read(_PREFACE_BYTES)
            connection.sendall(_SETTINGS + _ACKNOWLEDGED)
            while frame := received.read(_FRAME_HEADER_BYTES):
                received.read(int.from_bytes(frame[:3], "big"))
                if frame[3] == _HEADERS:
                    length = len(headers).to_bytes(3, "big")
                    connection.sendall(length + bytes([_HEADERS, _ENDS]) + frame[5:] + headers)

    return handle
