"""The attacks of `bench.attacks`, each against one server of this machine, from a process of its own.

An attack prepares what it sends, says that it is ready, attacks, and goes on until the process is ended.
"""

import multiprocessing
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import grpc

__all__ = ["ATTACKS", "PREFACE", "TOKEN", "Attack", "attacking"]

TOKEN: Final = (("authorization", "Bearer token-of-the-measurement"),)

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""The start of a connection with empty settings (RFC 9113, section 3.4)."""

_CALLS: Final = 140
"""Calls of an attack that opens many: more than the 128 that a server takes by default."""

_IDLE: Final = 1100
"""Connections of an attack that opens many: more than 1,024 open files allow."""

_EMPTY_PICTURES: Final = b"\x12\x03ada" + b"\x1a\x00" * 8_300_000
"""An EnrollTemplates request of nearly 16 MiB: an identity and 8.3 million pictures without content."""

_UNKNOWN_FIELDS: Final = b"\xf8\x3f\x01" * 5_500_000
"""A message of nearly 16 MiB: 5.5 million fields that no message has."""

_CONFIG: Final = b"\x0a\x00"
"""A StreamRecognizeRequest with a config without content."""

_PREPARE_S: Final = 60.0
_HEALTH: Final = "/grpc.health.v1.Health/Check"
_RECOGNITION: Final = "/facewire.v1.RecognitionService"
_GALLERY: Final = "/facewire.v1.GalleryService"


class Attack(NamedTuple):
    """One attack.

    Attributes:
        name: for a table.
        needs_token: whether the attacker has the token.
        run: attacks the server at an address until the process ends; calls its second argument when it is ready to begin.
    """

    name: str
    needs_token: bool
    run: Callable[[str, Callable[[], object]], None]


@contextmanager
def attacking(attack: Attack, address: str) -> Iterator[None]:
    """Attacks during the block."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_attack, args=(attack.name, address, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(_PREPARE_S):
            raise RuntimeError(f"{attack.name} was not ready in time")
        yield
    finally:
        process.kill()
        process.join()


def _attack(name: str, address: str, ready: Any) -> None:
    next(attack for attack in ATTACKS if attack.name == name).run(address, ready.set)


def _channel(address: str, **options: Any) -> grpc.Channel:
    unbounded = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
    return grpc.insecure_channel(address, options=unbounded, **options)


def _never() -> Iterator[bytes]:
    """Requests that do not come."""
    time.sleep(3600)
    yield b""


def _config_only() -> Iterator[bytes]:
    yield _CONFIG
    yield from _never()


def _hold(address: str, path: str, requests: Callable[[], Iterator[bytes]], metadata: Any) -> None:
    channel = _channel(address)
    calls = [
        channel.stream_stream(path, None, None)(requests(), metadata=metadata)
        for _ in range(_CALLS)
    ]
    while calls:
        time.sleep(1)


def _silent_health(address: str, begin: Callable[[], object]) -> None:
    begin()
    _hold(address, _HEALTH, _never, ())


def _silent_calls(address: str, begin: Callable[[], object]) -> None:
    begin()
    _hold(address, f"{_RECOGNITION}/Recognize", _never, TOKEN)


def _empty_streams(address: str, begin: Callable[[], object]) -> None:
    begin()
    _hold(address, f"{_RECOGNITION}/StreamRecognize", _config_only, TOKEN)


def _unread_exports(address: str, begin: Callable[[], object]) -> None:
    begin()
    _hold(address, f"{_GALLERY}/ExportGallery", lambda: iter((b"",)), TOKEN)


def _idle_connections(address: str, begin: Callable[[], object]) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    host, _, port = address.rpartition(":")
    begin()
    connections = []
    for _ in range(_IDLE):
        connection = socket.create_connection((host, int(port)), timeout=5)
        connection.sendall(PREFACE)
        connections.append(connection)
    while connections:
        time.sleep(1)


def _repeat(
    address: str, path: str, request: bytes, metadata: Any, begin: Callable[[], object]
) -> None:
    with _channel(address) as channel:
        call = channel.unary_unary(path, None, None)
        begin()
        while True:
            _ignoring_errors(lambda: call(request, metadata=metadata))


def _repeat_gzip(
    address: str, path: str, request: bytes, metadata: Any, begin: Callable[[], object]
) -> None:
    with _channel(address, compression=grpc.Compression.Gzip) as channel:
        call = channel.unary_unary(path, None, None)
        begin()
        while True:
            _ignoring_errors(lambda: call(request, metadata=metadata))


def _ignoring_errors(call: Callable[[], object]) -> None:
    try:
        call()
    except grpc.RpcError:
        time.sleep(0.02)


def _many_fields(address: str, begin: Callable[[], object]) -> None:
    _repeat(address, f"{_GALLERY}/EnrollTemplates", _EMPTY_PICTURES, TOKEN, begin)


def _gzip_with_token(address: str, begin: Callable[[], object]) -> None:
    _repeat_gzip(address, f"{_GALLERY}/EnrollTemplates", _EMPTY_PICTURES, TOKEN, begin)


def _gzip_of_health(address: str, begin: Callable[[], object]) -> None:
    _repeat_gzip(address, _HEALTH, _UNKNOWN_FIELDS, (), begin)


ATTACKS: Final = (
    Attack("silent calls of health", False, _silent_health),
    Attack("1,100 idle connections", False, _idle_connections),
    Attack("gzip'ed calls of health", False, _gzip_of_health),
    Attack("silent calls", True, _silent_calls),
    Attack("streams without frames", True, _empty_streams),
    Attack("exports that are not read", True, _unread_exports),
    Attack("8 million empty pictures", True, _many_fields),
    Attack("the same gzip'ed", True, _gzip_with_token),
)
"""From one connection each, but for the second."""
