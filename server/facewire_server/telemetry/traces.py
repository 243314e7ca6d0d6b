"""OpenTelemetry traces: a span for each picture, with its stages as children.

* A picture of a unary call: its parent is the span context of the call's `traceparent`, if there is one.
* A frame of a stream: a separate trace, which `traces_sample` samples, with a link to the stream's span context. A
  stream lasts for days, and a span is reported at its end; so the stream's span has no length and ends when the
  stream opens. Its parent is the `traceparent` of the stream's metadata.

Spans are made when the work on a picture has ended, from its event: work that is not sampled costs a few microseconds.
"""

import threading
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final

import grpc
from grpc import aio
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import (
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
    get_aggregated_resources,
)
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from facewire_server.events import Event, PictureFinished
from facewire_server.rpc.handlers import Behavior, wrapped
from facewire_server.rpc.services import METHODS
from facewire_server.telemetry.metrics import reason

__all__ = ["Traces", "exporting"]

_HEADERS: Final = ("traceparent", "tracestate")
_MAX_HEADER_BYTES: Final = 512
"""Bytes of the longest header that is read: W3C Trace Context asks every party to pass on as many of `tracestate`."""

_CLOSE_S: Final = 3.0
"""Seconds that the server's end waits for the collector. Chosen, not measured: added to `drain_s` it stays within
the time that orchestrators wait before they kill."""

_NANOSECONDS: Final = 1e9
"""Nanoseconds of a second: OpenTelemetry's times are whole nanoseconds."""


def exporting(endpoint: str) -> SpanProcessor:
    """Returns the processor that sends spans to a collector: in a thread, in batches; beyond 2,048 waiting spans it drops.

    Args:
        endpoint: of OTLP over gRPC: http://host:port, or https://host:port.
    """
    exporter = OTLPSpanExporter(endpoint, insecure=not endpoint.startswith("https:"))
    return BatchSpanProcessor(exporter)


class Traces(aio.ServerInterceptor):
    """Turns events into spans; as an interceptor it learns which call an event belongs to."""

    def __init__(self, processor: SpanProcessor, *, sample: float, version: str) -> None:
        """Starts tracing.

        Args:
            processor: takes the spans.
            sample: share of pictures without a parent that are traced; a sampled parent is followed.
            version: of the server.
        """
        own = Resource({SERVICE_NAME: "facewire-server", SERVICE_VERSION: version})
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win, as in any program that is traced.
        resource = get_aggregated_resources([OTELResourceDetector()], own)
        self._provider = TracerProvider(
            sampler=ParentBasedTraceIdRatio(sample), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("facewire_server", version)

    def listen(self, event: Event) -> None:
        """Makes the span of a picture (`events.Emit`)."""
        if isinstance(event, PictureFinished):
            self._picture(event)

    def close(self) -> None:
        """Sends the remaining spans. Blocks for at most 3 s; spans that the collector has not taken by then are lost."""
        # The SDK waits longer: https://github.com/open-telemetry/opentelemetry-python/issues/4568
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(_CLOSE_S)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the method's handler."""
        handler = await continuation(handler_call_details)
        details = handler_call_details
        if details.method not in METHODS:  # its handler is None, or refuses a call without a token
            return handler
        opened = self._opened if METHODS[details.method].client_streaming else None

        def joined(behavior: Behavior) -> Behavior:
            async def joining(request: Any, call: Any) -> Any:
                parent = _parent(details.invocation_metadata)
                _of_call.set((parent, opened(details.method, parent) if opened else None))
                return await behavior(request, call)

            return joining

        return wrapped(handler, joined)

    def _opened(self, method: str, parent: Context) -> SpanContext:
        span = self._tracer.start_span(f"{method[1:]} opened", parent, kind=SpanKind.SERVER)
        span.end()
        return span.get_span_context()

    def _picture(self, event: PictureFinished) -> None:
        parent, stream = _of_call.get()
        # `perf_counter` has no epoch, so its times are shifted to those of the clock.
        epoch_ns = time.time_ns() - time.perf_counter_ns()
        span = self._tracer.start_span(
            f"picture {event.purpose}",
            Context() if stream else parent,
            links=[Link(stream)] if stream else [],
            start_time=epoch_ns + _ns(event.started_s - event.waited_s),
        )
        if span.is_recording():
            self._describe(span, event, epoch_ns)
        span.end(epoch_ns + _ns(event.ended_s))

    def _describe(self, span: trace.Span, event: PictureFinished, epoch_ns: int) -> None:
        span.set_attribute("facewire.picture.bytes", event.byte_count)
        if event.error is not None:
            word = reason(event.error)
            span.set_attribute("error.type", word)
            span.set_status(Status(StatusCode.ERROR, word))
        within = trace.set_span_in_context(span, Context())
        stages = [("queue", event.started_s - event.waited_s, event.started_s)]
        stages += [(stage.name, stage.started_s, stage.ended_s) for stage in event.stages]
        for name, started_s, ended_s in stages:
            child = self._tracer.start_span(name, within, start_time=epoch_ns + _ns(started_s))
            child.end(epoch_ns + _ns(ended_s))


_of_call: ContextVar[tuple[Context, SpanContext | None]] = ContextVar(
    "of_call", default=(Context(), None)
)
"""The caller's span context, and that of the stream. Tasks that a handler starts inherit it."""


def _parent(metadata: Any) -> Context:
    carrier = {
        key: value
        for key, value in metadata
        if key in _HEADERS and isinstance(value, str) and len(value) <= _MAX_HEADER_BYTES
    }
    return TraceContextTextMapPropagator().extract(carrier, context.Context())


def _ns(seconds: float) -> int:
    return int(seconds * _NANOSECONDS)
