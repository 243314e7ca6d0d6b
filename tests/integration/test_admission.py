"""Calls that hold back their requests, or never read, keep no place from others; requests are bounded before they are parsed."""

import asyncio
import gc
import itertools
import socket
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire.v1 import face_pb2, gallery_pb2, recognition_pb2
from facewire_server.errors import RequestTooLarge, TimedOut, TooManyCalls
from facewire_server.events import CallRefused, Event, StreamEnded
from facewire_server.galleries.records import IdentityInfo
from facewire_server.rpc import method_rules
from facewire_server.rpc.wire_form import MAX_FIELDS
from fakes.gallery import MemoryGallery
from fakes.recognizer import CONTRACT_ID
from fakes.wire import DIMENSION, EOF, LIMITS, Wire, config, frame, reason_and_fields, served, until

TOKEN = (("authorization", "Bearer s3cret"),)
RECOGNITION = "/facewire.v1.RecognitionService"
GALLERY = "/facewire.v1.GalleryService"
HEALTH = "/grpc.health.v1.Health"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS"
LATE = grpc.StatusCode.DEADLINE_EXCEEDED, "TIMED_OUT"
SHORT = replace(LIMITS, request_timeout_s=0.1)


@asynccontextmanager
async def another_channel(wire: Wire, **options: Any) -> AsyncIterator[grpc.aio.Channel]:
    own = (("grpc.use_local_subchannel_pool", 1),)
    address = f"127.0.0.1:{wire.port}"
    async with grpc.aio.insecure_channel(address, options=own, **options) as channel:
        yield channel


def silent(channel: grpc.aio.Channel, path: str, count: int = 1, token: Any = TOKEN) -> list[Any]:
    """Calls that are open and send nothing."""
    open_call: Any = channel.stream_stream(path, bytes, bytes)
    return [open_call(metadata=token) for _ in range(count)]


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), reason_and_fields(caught.value)[0]


async def read_all(call: Any) -> None:
    while await call.read() is not EOF:
        pass


async def works(wire: Wire) -> None:
    """A holder of the token, and the health check, get their answers."""
    request = gallery_pb2.ListGalleriesRequest()
    await wire.galleries.ListGalleries(request, metadata=TOKEN, timeout=20)
    check = health_pb2_grpc.HealthStub(wire.channel).Check
    await check(health_pb2.HealthCheckRequest(), timeout=20)


@pytest.mark.parametrize("method", ["Check", "List", "Watch"])
async def test_silent_calls_without_a_token_keep_no_place(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(method_rules, "OPEN_TIMEOUT_S", 3600.0)  # they end by being dropped only
    async with (
        served(token="s3cret", max_calls=2) as wire,
        another_channel(wire) as first,
        another_channel(wire) as second,
    ):
        for channel in (first, second):
            calls = silent(channel, f"{HEALTH}/{method}", 50, token=())
            ended = [asyncio.ensure_future(call.code()) for call in calls]
            for code in itertools.islice(asyncio.as_completed(ended), 18):
                assert await code is grpc.StatusCode.RESOURCE_EXHAUSTED
            await works(wire)


async def test_a_silent_call_of_health_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method_rules, "OPEN_TIMEOUT_S", 0.1)
    async with served(token="s3cret") as wire:
        (call,) = silent(wire.channel, f"{HEALTH}/Check", token=())
        assert await refused(call.read()) == LATE


SILENT = (
    f"{RECOGNITION}/Recognize",
    f"{RECOGNITION}/StreamRecognize",
    f"{GALLERY}/ImportGallery",
    f"{GALLERY}/ExportGallery",
    REFLECTION,
)


@pytest.mark.parametrize("path", SILENT)
async def test_silent_calls_with_a_token_keep_no_place_and_end(path: str) -> None:
    events: list[Event] = []
    async with (
        served(token="s3cret", max_calls=2, limits=SHORT, emit=events.append) as wire,
        another_channel(wire) as channel,
    ):
        calls = silent(channel, path, 8)
        codes = [await refused(call.read()) for call in calls]
        await works(wire)
        assert set(codes) == {EXHAUSTED, LATE}, "newer ones took a place, or the time was over"
    refusals = [event for event in events if isinstance(event, CallRefused)]
    assert {event.method for event in refusals} == {path}
    assert {event.error for event in refusals} == {TimedOut, TooManyCalls}
    assert len(refusals) == len(calls)


async def test_a_connection_has_so_many_calls_and_another_has_its_own() -> None:
    limits = replace(LIMITS, max_calls_per_connection=2)
    async with served(token="s3cret", limits=limits) as wire, another_channel(wire) as channel:
        open_stream: Any = channel.stream_stream(
            f"{RECOGNITION}/StreamRecognize",
            None,
            recognition_pb2.StreamRecognizeResponse.FromString,
        )
        streams = [open_stream(metadata=TOKEN) for _ in range(2)]
        for stream in streams:
            await stream.write(config().SerializeToString())
            assert (await stream.read()).WhichOneof("message") == "started"
        assert await refused(open_stream(metadata=TOKEN).read()) == EXHAUSTED
        check = health_pb2_grpc.HealthStub(channel).Check
        await check(health_pb2.HealthCheckRequest())
        await works(wire)
        await streams[0].done_writing()
        assert await streams[0].code() is grpc.StatusCode.OK
        list_galleries = channel.unary_unary(f"{GALLERY}/ListGalleries", None, bytes)
        code = None
        while code is not grpc.StatusCode.OK:  # until the server has seen the stream's end
            code = await list_galleries(b"", metadata=TOKEN).code()
        streams[1].cancel()


async def test_an_import_that_stops_sending_ends() -> None:
    async with served(limits=SHORT) as wire:
        source = gallery_pb2.Gallery(gallery_id="old", model_contract_id=CONTRACT_ID)
        header = gallery_pb2.ExportHeader(gallery=source, dimension=DIMENSION)
        call = wire.galleries.ImportGallery()
        record = gallery_pb2.GalleryRecord(header=header)
        await call.write(gallery_pb2.ImportGalleryRequest(gallery_id="default", record=record))
        assert await refused(call) == LATE


async def test_a_stream_without_frames_ends_and_one_with_frames_goes_on() -> None:
    events: list[Event] = []
    limits = replace(LIMITS, stream_idle_timeout_s=0.3)
    async with served(limits=limits, emit=events.append) as wire:
        idle, busy = (wire.recognition.StreamRecognize() for _ in range(2))
        for stream in (idle, busy):
            await stream.write(config())
            await stream.read()
        code = asyncio.ensure_future(refused(idle.read()))
        sequence = 0
        while not code.done():
            sequence += 1
            await busy.write(frame(sequence))
            assert (await busy.read()).frame.sequence == sequence
            await asyncio.sleep(0.01)
        assert await code == LATE
        await busy.write(frame(sequence + 1))
        assert (await busy.read()).frame.sequence == sequence + 1
        (ended,) = (event for event in events if isinstance(event, StreamEnded))
        assert ended.error is TimedOut
        busy.cancel()


class LargeGallery(MemoryGallery):
    """Its export never ends."""

    @asynccontextmanager
    async def export_records(self, gallery_id: str) -> AsyncIterator[Any]:
        async with super().export_records(gallery_id) as (info, _):
            yield info, endless()


async def endless() -> AsyncIterator[Any]:
    while True:
        yield IdentityInfo("x" * 128, "y" * 60_000, 0, 0)


async def test_an_export_that_is_not_read_gives_its_place_back() -> None:
    limits = replace(LIMITS, slow_reader_timeout_s=0.2)
    gallery = LargeGallery(model_contract_id=CONTRACT_ID, dimension=DIMENSION)
    async with (
        served(gallery=gallery, limits=limits, max_calls=1) as wire,
        another_channel(wire) as channel,
    ):
        places = wire.server.admission.places
        export = channel.unary_stream(f"{GALLERY}/ExportGallery", None, bytes)(b"")
        await export.read()
        assert places.in_progress == 1
        await until(lambda: places.in_progress == 0)
        await wire.galleries.ListGalleries(gallery_pb2.ListGalleriesRequest())
        assert (await refused(read_all(export)))[1] == "SLOW_READER"
        await until(lambda: not places.connections())


class LargePages(MemoryGallery):
    """Its pages are larger than what a client may leave unread in its window."""

    async def list_identities(self, gallery_id: str, after: str, limit: int) -> Any:
        return [IdentityInfo(f"{number:0128}", "y" * 60_000, 0, 0) for number in range(9)]


def http2_frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """RFC 9113, section 4.1."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


def unread_call(port: int, path: str) -> socket.socket:
    """A connection with a call of an empty message, whose answer is not read: gRPC's own clients read one ahead."""
    headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "test"}
    headers |= {"content-type": "application/grpc", "te": "trailers"}
    fields = b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in headers.items()
    )
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2_frame(4, 0, 0, b""))
    connection.sendall(http2_frame(1, 4, 1, fields) + http2_frame(0, 1, 1, bytes(5)))
    return connection


async def test_a_single_answer_that_is_not_read_keeps_its_place_for_a_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Until then it counts: unread answers are in the server's memory."""
    limits = replace(LIMITS, slow_reader_timeout_s=0.5)
    gallery = LargePages(model_contract_id=CONTRACT_ID, dimension=DIMENSION)
    async with served(gallery=gallery, limits=limits, max_calls=1) as wire:
        request = gallery_pb2.ListGalleriesRequest()
        await wire.galleries.ListGalleries(request)
        places = wire.server.admission.places
        with unread_call(wire.port, f"{GALLERY}/ListIdentities"):
            await until(lambda: places.in_progress == 1)
            assert await refused(wire.galleries.ListGalleries(request)) == EXHAUSTED
            await until(lambda: places.in_progress == 0)
            await wire.galleries.ListGalleries(request)
            assert not caplog.records, "the status waits for the client"


async def test_long_calls_take_no_place_of_the_cameras() -> None:
    limits = replace(LIMITS, max_streams=1)
    async with served(limits=limits, max_calls=3) as wire:
        open_call: Any = wire.channel.stream_stream(REFLECTION, None, None)
        long_calls = [open_call() for _ in range(3)]
        for call in long_calls[:2]:
            await call.write(b"\x3a\x00")
            await call.read()
        await long_calls[2].write(b"\x3a\x00")
        assert await refused(long_calls[2].read()) == EXHAUSTED
        stream = wire.recognition.StreamRecognize()
        await stream.write(config())
        assert (await stream.read()).WhichOneof("message") == "started"
        stream.cancel()


EMPTY_IMAGES = b"\x1a\x00"
LARGE = {
    "an id of 100 kB": (f"{GALLERY}/GetIdentity", b"\x12\xa0\x8d\x06" + b"a" * 100_000),
    "many pictures": (f"{GALLERY}/EnrollTemplates", EMPTY_IMAGES * (MAX_FIELDS + 1)),
    "many fields": (f"{RECOGNITION}/Recognize", b"\xf8\x3f\x01" * (MAX_FIELDS + 1)),
    "many fields in a picture": (
        f"{RECOGNITION}/Recognize",
        b"\x12\x83\x18" + b"\xf8\x3f\x01" * (MAX_FIELDS + 1),
    ),
    "many configs": (f"{RECOGNITION}/StreamRecognize", b"\x0a\x00" * (MAX_FIELDS + 1)),
    "a health check of 100 kB": (f"{HEALTH}/Check", b"\x0a\xa0\x8d\x06" + b"a" * 100_000),
    "reflection of 100 kB": (REFLECTION, b"\x0a\xa0\x8d\x06" + b"a" * 100_000),
}


@pytest.mark.parametrize("name", LARGE)
async def test_a_request_too_large_is_refused_before_it_is_parsed(name: str) -> None:
    path, data = LARGE[name]
    events: list[Event] = []
    async with served(emit=events.append) as wire:
        call = wire.channel.stream_stream(path, None, None)(iter([data]))
        assert await refused(call.read()) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "REQUEST_TOO_LARGE",
        )
    (event,) = (event for event in events if isinstance(event, CallRefused))
    assert (event.method, event.error) == (path, RequestTooLarge)


@pytest.mark.parametrize("path", [f"{HEALTH}/Check", f"{RECOGNITION}/Recognize"])
async def test_a_compressed_request_is_refused(path: str) -> None:
    async with (
        served() as wire,
        another_channel(wire, compression=grpc.Compression.Gzip) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(path, None, None)(b"\x0a\x40" + b"a" * 64)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert "gzip" in (caught.value.details() or "")


async def test_a_call_without_a_request_is_out_of_order() -> None:
    async with served() as wire:
        call = wire.channel.stream_unary(f"{RECOGNITION}/Recognize", None, None)(iter(()))
        assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, "OUT_OF_ORDER")


async def test_a_shutdown_does_not_wait_for_silent_calls() -> None:
    async with served() as wire:
        (call,) = silent(wire.channel, f"{RECOGNITION}/Recognize")
        await until(lambda: bool(wire.server.admission.places.connections()))
        await wire.server.drain(3600.0)
        assert await refused(call.read()) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")


async def test_what_a_picture_holds_is_no_field() -> None:
    """Bytes that look like fields are not counted."""
    async with served() as wire:
        image = face_pb2.Image(data=b"\x0a\x00" * (MAX_FIELDS + 1))
        call = wire.recognition.Recognize(recognition_pb2.RecognizeRequest(image=image))
        await call.code()
        assert await call.code() is grpc.StatusCode.OK


async def test_a_refused_request_does_not_stay_in_memory() -> None:
    """Not even until the next garbage collection."""
    request = b"\xf8\x3f\x01" * 350_000
    async with served() as wire:
        recognize = wire.channel.unary_unary(f"{RECOGNITION}/Recognize", None, None)
        assert (await refused(recognize(request)))[1] == "REQUEST_TOO_LARGE"
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(20):
                await refused(recognize(request))
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gc.enable()
    assert after - before < 3 * len(request)
