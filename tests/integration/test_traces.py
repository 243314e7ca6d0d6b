"""Traces: a span for each picture, below the caller's, with nothing in it that names a person or a camera."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import grpc
import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs the extra `otel`")

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from facewire_server.telemetry import traces as traces_module
from facewire_server.telemetry.traces import Traces
from fakes.wire import config, frame, served
from harness.running import running_server
from harness.streaming import OneInFlight

TRACE_ID, SPAN_ID = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
SAMPLED = (("traceparent", f"00-{TRACE_ID:032x}-{SPAN_ID:016x}-01"),)
NOT_SAMPLED = (("traceparent", f"00-{TRACE_ID:032x}-{SPAN_ID:016x}-00"),)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traces(exporter: InMemorySpanExporter) -> Iterator[Traces]:
    traces = Traces(SimpleSpanProcessor(exporter), sample=1.0, version="1.2.3")
    yield traces
    traces.close()


def recognize(data: bytes) -> recognition_pb2.RecognizeRequest:
    return recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=data))


def named(spans: tuple[ReadableSpan, ...], name: str) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name]


async def test_a_picture_of_a_call_is_below_the_callers_span(
    traces: Traces, exporter: InMemorySpanExporter
) -> None:
    async with served(interceptors=[traces], emit=traces.listen) as wire:
        await wire.recognition.Recognize(recognize(b"good"), metadata=SAMPLED)
    spans = exporter.get_finished_spans()
    (picture,) = named(spans, "picture recognize")
    assert picture.context.trace_id == TRACE_ID
    assert picture.parent is not None
    assert picture.parent.span_id == SPAN_ID
    assert picture.status.status_code is StatusCode.UNSET
    assert picture.resource.attributes["service.name"] == "facewire-server"
    stages = [span for span in spans if span is not picture]
    assert [span.name for span in stages] == ["queue", "decode"]
    for stage in stages:
        assert stage.parent == picture.context
        times = [picture.start_time, stage.start_time, stage.end_time, picture.end_time]
        known_times = [time for time in times if time is not None]
        assert len(known_times) == 4
        assert known_times == sorted(known_times)


async def test_a_picture_that_failed_says_why(
    traces: Traces, exporter: InMemorySpanExporter
) -> None:
    async with served(interceptors=[traces], emit=traces.listen) as wire:
        for data in (b"text", b"crash"):
            with pytest.raises(grpc.aio.AioRpcError):
                await wire.recognition.Recognize(recognize(data))
    pictures = named(exporter.get_finished_spans(), "picture recognize")
    assert [span.status.status_code for span in pictures] == [StatusCode.ERROR] * 2
    assert [dict(span.attributes or {}) for span in pictures] == [
        {"facewire.picture.bytes": 4, "error.type": "IMAGE_UNDECODABLE"},
        {"facewire.picture.bytes": 5, "error.type": "INTERNAL"},
    ]
    assert not any(span.events for span in pictures), "an event would hold the error's text"


async def test_frames_are_traces_of_their_own_with_a_link_to_their_stream(
    traces: Traces, exporter: InMemorySpanExporter
) -> None:
    async with served(interceptors=[traces], emit=traces.listen) as wire:
        messages = [config(camera_id="Alice's door"), frame(1), frame(2)]
        stream = wire.recognition.StreamRecognize(iter(messages), metadata=SAMPLED)
        assert [answer async for answer in stream]
    spans = exporter.get_finished_spans()
    (opened,) = named(spans, "facewire.v1.RecognitionService/StreamRecognize opened")
    assert opened.parent is not None
    assert (opened.context.trace_id, opened.parent.span_id) == (TRACE_ID, SPAN_ID)
    pictures = named(spans, "picture stream")
    assert len({span.context.trace_id for span in pictures} | {TRACE_ID}) == 3
    assert all(span.parent is None for span in pictures)
    assert [link.context for span in pictures for link in span.links] == [opened.context] * 2
    assert "Alice" not in "".join(span.to_json() for span in spans)


async def test_what_is_sampled(exporter: InMemorySpanExporter) -> None:
    traces = Traces(SimpleSpanProcessor(exporter), sample=0.0, version="1.2.3")
    async with served(interceptors=[traces], emit=traces.listen) as wire:
        for metadata in ((), NOT_SAMPLED, (("traceparent", "00-nonsense-01"),)):
            await wire.recognition.Recognize(recognize(b"good"), metadata=metadata)
        assert exporter.get_finished_spans() == ()
        await wire.recognition.Recognize(recognize(b"good"), metadata=SAMPLED)
        assert len(named(exporter.get_finished_spans(), "picture recognize")) == 1
        exporter.clear()
        # A caller asks for the trace of its call; not for one of every frame of days.
        stream = wire.recognition.StreamRecognize(iter([config(), frame(1)]), metadata=SAMPLED)
        assert [answer async for answer in stream]
        assert [span.name for span in exporter.get_finished_spans()] == [
            "facewire.v1.RecognitionService/StreamRecognize opened"
        ]
    traces.close()


def test_a_collector_that_takes_nothing_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traces_module, "_CLOSE_S", 0.05)
    entered, release = threading.Event(), threading.Event()

    class Stuck(SpanProcessor):
        def shutdown(self) -> None:
            entered.set()
            release.wait(60)

    Traces(Stuck(), sample=1.0, version="1.2.3").close()
    assert entered.is_set()
    assert not release.is_set()
    release.set()


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """An OpenTelemetry collector that keeps what it gets."""

    def __init__(self) -> None:
        self.requests: list[trace_service_pb2.ExportTraceServiceRequest] = []

    def Export(self, request, context):
        self.requests.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()


def test_a_server_sends_its_traces_to_a_collector(models: Path, astronaut) -> None:
    collector = Collector()
    receiver = grpc.server(ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, receiver)
    port = receiver.add_insecure_port("127.0.0.1:0")
    receiver.start()
    picture = cv2.imencode(".jpg", astronaut[:, :, ::-1])[1].tobytes()
    with (
        running_server(
            models=models, traces_endpoint=f"http://127.0.0.1:{port}", traces_sample=1.0
        ) as server,
        server.channel() as channel,
    ):
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        stub.Recognize(recognize(picture), metadata=SAMPLED, timeout=60)
        with OneInFlight(channel) as stream:
            stream.send(picture)
    receiver.stop(None)
    spans = [
        span
        for request in collector.requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    ids = {span.name: span.span_id for span in spans if span.name.startswith("picture ")}
    assert set(ids) == {"picture recognize", "picture stream"}
    for picture_id in ids.values():
        stages = {span.name for span in spans if span.parent_span_id == picture_id}
        assert stages == {"queue", "decode", "detect", "align", "embed", "match"}
