"""Clients that break HTTP/2 on the server's port: a clear end, bounded memory, and a camera beside them that is answered."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facewire.v1 import recognition_pb2
from facewire_server.rpc import channel_options
from fakes.raw_grpc import (
    END_HEADERS,
    FrameType,
    RawConnection,
    call_headers,
    header_block,
    http2_frame,
)
from fakes.wire import config, frame, served
from harness.running import RunningServer, own_bytes, running_server
from harness.tracked import TrackedStream

MIB = 1 << 20
GIGABYTE = b"\0" + (1 << 30).to_bytes(4, "big")
"""The prefix of a message of gRPC that is to be that long."""

PIECE = http2_frame(FrameType.DATA, 0, 1, bytes(16384))
STREAM = "/facewire.v1.RecognitionService/StreamRecognize"
METHODS = (
    "/facewire.v1.RecognitionService/Recognize",
    STREAM,
    "/facewire.v1.GalleryService/EnrollTemplates",
    "/grpc.health.v1.Health/Check",
)
RESOURCE_EXHAUSTED = 8
Address = tuple[str, int]


class Camera:
    """A camera whose every frame must be answered while others attack its server."""

    def __init__(self, server: RunningServer, stream: TrackedStream, jpeg: bytes) -> None:
        self._server, self._stream, self._jpeg = server, stream, jpeg

    def answered(self) -> None:
        """Sends a frame, and waits for its result, which must be well."""
        at_s = self._stream.next_sequence / 10
        assert self._stream.send(self._jpeg, at_s).status == recognition_pb2.FRAME_STATUS_OK

    def beside(self, attack: Callable[[Address], None], most_bytes: int = 32 * MIB) -> None:
        """Streams until the attack has ended, and five frames longer; memory may grow by so much, less than was sent."""
        host, _, port = self._server.address.rpartition(":")
        before = own_bytes(self._server.pid)
        with ThreadPoolExecutor(1) as attackers:
            attacking = attackers.submit(attack, (host, int(port)))
            while not attacking.done():
                self.answered()
            attacking.result()
        for _ in range(5):
            self.answered()
        assert own_bytes(self._server.pid) - before < most_bytes


@pytest.fixture(scope="module")
def camera(models: Path, astronaut: NDArray[np.uint8]) -> Iterator[Camera]:
    picture = np.ascontiguousarray(astronaut[:256, 96:352, ::-1])
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    with (
        running_server(frame_timeout_s=60) as server,
        server.channel() as channel,
        TrackedStream(channel, camera_id="door") as stream,
    ):
        camera = Camera(server, stream, jpeg)
        for _ in range(20):  # memory that the first frames take
            camera.answered()
        yield camera


@pytest.mark.parametrize("path", METHODS)
def test_a_declared_gigabyte_is_refused_and_not_read(camera: Camera, path: str) -> None:
    """The status comes after the declaration; the connection ends when the bytes come without leave."""

    def attack(address: Address) -> None:
        with RawConnection(address) as connection:
            connection.send(call(path), http2_frame(FrameType.DATA, 0, 1, GIGABYTE))
            assert connection.end() == RESOURCE_EXHAUSTED
            assert sent_until_cut(connection, PIECE) < 64 * MIB

    camera.beside(attack)


@pytest.mark.parametrize("preface", [False, True])
def test_random_bytes_end_the_connection(camera: Camera, preface: bool) -> None:
    def attack(address: Address) -> None:
        for seed in range(100):
            with RawConnection(address, preface=preface) as connection:
                connection.send(Random(seed).randbytes(10_000))
                assert connection.end() in ("closed", "goaway")

    camera.beside(attack)


def test_headers_without_an_end_are_refused_and_not_kept(camera: Camera) -> None:
    """gRPC reads on, and drops them. Of a gigabyte 74 MB stayed, in its buffers."""
    endless = http2_frame(FrameType.CONTINUATION, 0, 1, header_block([(b"x", b"y" * 16_000)]))

    def attack(address: Address) -> None:
        with RawConnection(address) as connection:
            connection.send(http2_frame(FrameType.HEADERS, 0, 1, call_headers(STREAM)))
            sent_until_cut(connection, endless, 256 * MIB)
            assert connection.end() == RESOURCE_EXHAUSTED

    camera.beside(attack, 128 * MIB)


def test_dripped_headers_are_a_call_like_others(camera: Camera) -> None:
    """Forty connections at once, a byte at a time; those that came whole are refused as above."""

    def attack(address: Address) -> None:
        with ExitStack() as stack:
            dripping = [stack.enter_context(RawConnection(address)) for _ in range(40)]
            for byte in call(STREAM) + http2_frame(FrameType.DATA, 0, 1, GIGABYTE):
                assert all(connection.send(bytes([byte])) for connection in dripping)
            for connection in dripping:
                assert connection.end() == RESOURCE_EXHAUSTED

    camera.beside(attack)


async def test_headers_that_drip_for_ever_are_no_call_and_the_connection_is_closed_as_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A camera beside it is answered. Pings do not end it: gRPC takes any byte for a sign of life."""
    monkeypatch.setattr(channel_options, "_IDLE_MS", 500)
    async with served() as wire:
        stream = wire.recognition.StreamRecognize()
        await stream.write(config())
        await stream.read()
        with RawConnection(("127.0.0.1", wire.port)) as connection:
            await asyncio.to_thread(connection.acknowledge_settings)
            connection.send(http2_frame(FrameType.HEADERS, END_HEADERS, 1, bytes(16_384))[:9])
            for sequence in itertools.count(1):
                if not connection.send(b"\0"):
                    break
                await stream.write(frame(sequence))
                assert (await stream.read()).frame.sequence == sequence
                await asyncio.sleep(0.05)
        stream.cancel()


def call(path: str) -> bytes:
    """The start of a call: its headers."""
    return http2_frame(FrameType.HEADERS, END_HEADERS, 1, call_headers(path))


def sent_until_cut(connection: RawConnection, piece: bytes, most: int = 1 << 30) -> int:
    """Sends a piece again and again; returns the bytes that were sent when the server cut the connection, or all."""
    sent = 0
    while sent < most and connection.send(piece):
        sent += len(piece)
    return sent
