"""Each stream has a beginning and an end that listeners hear of, over a real server."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace

import grpc
import pytest

from facewire.v1 import gallery_pb2, recognition_pb2
from facewire_server.errors import GalleryNotFound, SlowReader, TokenRequired, TooManyStreams
from facewire_server.events import Event, StreamEnded, StreamOpened, StreamRefused, TokenRefused
from fakes.wire import EOF, LIMITS, Wire, config, frame, served, until

LONG_S = 60.0
StreamEvent = StreamOpened | StreamRefused | StreamEnded


class Heard:
    """The events of streams, in order."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, StreamEvent):
            self.events.append(event)

    async def next(self) -> StreamEvent:
        """The next event; the one before is forgotten."""
        await until(lambda: bool(self.events))
        return self.events.pop(0)


async def opened(wire: Wire, camera_id: str = "") -> grpc.aio.StreamStreamCall:
    call = wire.recognition.StreamRecognize()
    await call.write(
        config(camera_id=camera_id, frame_policy=recognition_pb2.FRAME_POLICY_EVERY_FRAME)
    )
    await call.read()
    return call


async def ended(call: grpc.aio.StreamStreamCall) -> grpc.StatusCode:
    while True:
        try:
            if await call.read() is EOF:
                break
        except grpc.aio.AioRpcError:
            break
    return await call.code()


async def test_a_stream_ends_with_the_count_of_its_frames() -> None:
    heard = Heard()
    async with served(emit=heard) as wire:
        call = await opened(wire, "front\ndoor")
        begun = await heard.next()
        assert isinstance(begun, StreamOpened)
        assert begun.camera_id == "front\ndoor"
        assert begun.peer.startswith("ipv4:127.0.0.1:")
        for sequence, data in enumerate([b"good", b"text", b"good"], start=1):
            await call.write(frame(sequence, data))
        await call.done_writing()
        assert await ended(call) is grpc.StatusCode.OK
        end = await heard.next()
    assert isinstance(end, StreamEnded)
    assert (end.camera_id, end.peer) == (begun.camera_id, begun.peer)
    assert (end.recognized, end.failed, end.skipped) == (2, 1, 0)
    assert 0 < end.median_s < end.duration_s
    assert (end.error, end.is_drained) == (None, False)
    assert heard.events == []


async def test_a_client_that_goes_away_is_no_failure_of_the_server() -> None:
    heard = Heard()
    async with served(emit=heard) as wire:
        call = await opened(wire)
        await heard.next()
        call.cancel()
        end = await heard.next()
    assert isinstance(end, StreamEnded)
    assert end.error is asyncio.CancelledError


async def test_a_drained_stream_says_so() -> None:
    heard = Heard()
    async with served(emit=heard) as wire:
        call = await opened(wire)
        await heard.next()
        draining = asyncio.ensure_future(wire.server.drain(LONG_S))
        assert await ended(call) is grpc.StatusCode.OK
        await draining
        end = await heard.next()
    assert isinstance(end, StreamEnded)
    assert (end.error, end.is_drained) == (None, True)


async def test_a_slow_reader_is_the_end_of_its_stream() -> None:
    heard = Heard()
    limits = replace(LIMITS, slow_reader_timeout_s=0.2)
    small_window = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16_384))
    async with served(limits=limits, channel_options=small_window, emit=heard) as wire:
        call = await opened(wire)
        await heard.next()

        async def flood() -> None:
            for sequence in itertools.count(1):
                await call.write(frame(sequence, b"text" + b"x" * 500))

        flooding = asyncio.ensure_future(flood())
        end = await heard.next()  # the client hears of it only when it reads
        flooding.cancel()
    assert isinstance(end, StreamEnded)
    assert end.error is SlowReader


@pytest.mark.parametrize(
    ("streams_open", "fields", "error"),
    [(1, {}, TooManyStreams), (0, {"gallery_id": "unknown"}, GalleryNotFound)],
)
async def test_a_stream_that_is_not_opened_is_refused(
    streams_open: int, fields: dict[str, str], error: type[Exception]
) -> None:
    heard = Heard()
    async with served(limits=replace(LIMITS, max_streams=1), emit=heard) as wire:
        others = [await opened(wire) for _ in range(streams_open)]
        for _ in others:
            assert isinstance(await heard.next(), StreamOpened)
        call = wire.recognition.StreamRecognize()
        await call.write(config(**fields))
        await ended(call)
        refused = await heard.next()
        assert isinstance(refused, StreamRefused)
        assert refused.error is error
        assert refused.peer.startswith("ipv4:127.0.0.1:")
        assert heard.events == []
        for other in others:
            other.cancel()


@pytest.mark.parametrize(
    "call",
    [
        lambda wire: wire.galleries.GetGallery(gallery_pb2.GetGalleryRequest()),
        lambda wire: wire.recognition.StreamRecognize().read(),
    ],
)
async def test_a_call_without_the_token_is_heard_of_with_its_address(
    call: Callable[[Wire], Awaitable[object]],
) -> None:
    events: list[Event] = []
    async with served(token="right", emit=events.append) as wire:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(wire)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    (refused,) = (event for event in events if isinstance(event, TokenRefused))
    assert refused.peer.startswith("ipv4:127.0.0.1:")
    assert TokenRequired.__name__ not in repr(events), "it is refused before it is a stream"
