"""Calls are counted by method and by the status that their client got."""

import asyncio
import contextlib

import grpc
import pytest
from prometheus_client import CollectorRegistry

from facewire.v1 import face_pb2, recognition_pb2
from facewire_server.rpc.services import SERVICES
from facewire_server.telemetry.calls import CallMetrics
from fakes.recognizer import FakeRecognizer
from fakes.wire import config, frame, served, until

RECOGNITION = "facewire.v1.RecognitionService"
METHODS = {(service.full_name, method.name) for service in SERVICES for method in service.methods}


def handled(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    """Calls ended, by (type, service, method, code)."""
    return {labels: value for labels, value in series(registry).items() if value}


def series(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    """The same with the series that are 0."""
    return {
        tuple(sample.labels[f"grpc_{key}"] for key in ("type", "service", "method", "code")): (
            sample.value
        )
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "grpc_server_handled_total"
    }


def recognize(data: bytes) -> recognition_pb2.RecognizeRequest:
    return recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=data))


async def code_of(call: grpc.aio.Call) -> str:
    return (await call.code()).name


async def test_calls_are_counted_by_their_status() -> None:
    registry = CollectorRegistry()
    got = []
    async with served(interceptors=[CallMetrics(registry)]) as wire:
        for data in (b"good", b"text", b"away", b"crash"):
            call = wire.recognition.Recognize(recognize(data))
            got.append(await code_of(call))
        stream = wire.recognition.StreamRecognize(iter([config(), frame(1), frame(2)]))
        assert [answer async for answer in stream]
        got.append(await code_of(stream))
        watching = wire.recognition.WatchTracks(recognition_pb2.WatchTracksRequest(kept_only=True))
        got.append(await code_of(watching))
    assert got == ["OK", "INVALID_ARGUMENT", "UNAVAILABLE", "INTERNAL", "OK", "OK"]
    assert handled(registry) == {
        ("unary", RECOGNITION, "Recognize", "OK"): 1,
        ("unary", RECOGNITION, "Recognize", "INVALID_ARGUMENT"): 1,
        ("unary", RECOGNITION, "Recognize", "UNAVAILABLE"): 1,
        ("unary", RECOGNITION, "Recognize", "INTERNAL"): 1,
        ("bidi_stream", RECOGNITION, "StreamRecognize", "OK"): 1,
        ("server_stream", RECOGNITION, "WatchTracks", "OK"): 1,
    }


async def test_the_first_fault_of_every_method_raises_a_series_that_was_0() -> None:
    registry = CollectorRegistry()
    metrics = CallMetrics(registry)
    before = series(registry)
    async with served(interceptors=[metrics]) as wire:
        assert await code_of(wire.recognition.Recognize(recognize(b"crash"))) == "INTERNAL"
        for service, method in METHODS:  # each ends, in one way or another
            path = f"/{service}/{method}"
            call = wire.channel.stream_stream(path, bytes, bytes)(iter([b""]))
            with contextlib.suppress(grpc.aio.AioRpcError):
                # A feed of tracks has no message yet, but headers.
                await (call.initial_metadata() if method == "WatchTracks" else call.read())
            call.cancel()  # else it and a watch of the health go on
        await until(lambda: sum(series(registry).values()) == len(METHODS) + 1)
    assert set(before.values()) == {0}
    assert {labels[:3] for labels in series(registry)} == {labels[:3] for labels in before}
    for code in ("OK", "INTERNAL"):
        assert {labels[1:3] for labels in before if labels[3] == code} == METHODS
    assert handled(registry)[("unary", RECOGNITION, "Recognize", "INTERNAL")] == 1


async def test_calls_without_the_token_are_counted() -> None:
    registry = CollectorRegistry()
    async with served(interceptors=[CallMetrics(registry)], token="s3cret") as wire:
        call = wire.recognition.Recognize(recognize(b"good"))
        assert await code_of(call) == "UNAUTHENTICATED"
        unknown = wire.channel.unary_unary(f"/{RECOGNITION}/Alice", bytes, bytes)(b"")
        assert await code_of(unknown) == "UNAUTHENTICATED", "and it is no label"
    assert handled(registry) == {("unary", RECOGNITION, "Recognize", "UNAUTHENTICATED"): 1}


async def test_a_method_that_does_not_exist_is_no_label() -> None:
    registry = CollectorRegistry()
    async with served(interceptors=[CallMetrics(registry)]) as wire:
        call = wire.channel.unary_unary("/facewire.v1.RecognitionService/Alice", bytes, bytes)(b"")
        assert await code_of(call) == "UNIMPLEMENTED"
    assert handled(registry) == {}


@pytest.mark.parametrize(("timeout_s", "code"), [(None, "CANCELLED"), (0.2, "DEADLINE_EXCEEDED")])
async def test_who_goes_away_is_told_from_who_is_late(timeout_s: float | None, code: str) -> None:
    registry, recognizer = CollectorRegistry(), FakeRecognizer()
    async with served(recognizer, interceptors=[CallMetrics(registry)]) as wire:
        call = wire.recognition.Recognize(recognize(b"hang"), timeout=timeout_s)
        running = asyncio.ensure_future(call.code())
        await recognizer.until(begun=1)
        if timeout_s is None:
            call.cancel()
        assert (await running).name == code
        await until(lambda: bool(handled(registry)))
        assert handled(registry) == {("unary", RECOGNITION, "Recognize", code): 1}
        started = registry.get_sample_value(
            "grpc_server_started_total",
            {"grpc_type": "unary", "grpc_service": RECOGNITION, "grpc_method": "Recognize"},
        )
        assert started == 1
