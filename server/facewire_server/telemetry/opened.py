"""Sets up metrics and traces by the settings, and serves the metrics while the server runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from grpc import aio
from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from facewire_server.events import Emit, MetricsListening
from facewire_server.telemetry.calls import CallMetrics
from facewire_server.telemetry.http import MetricsServer
from facewire_server.telemetry.metrics import EventMetrics
from facewire_server.telemetry.state import Build, Sources, StateCollector

if TYPE_CHECKING:
    from facewire_server.telemetry.traces import Traces

__all__ = ["Telemetry", "TracesNotInstalled"]


class TracesNotInstalled(Exception):
    """Traces are asked for, and the extra `otel` of the server's package is not installed."""


class Telemetry:
    """The metrics and traces of one server.

    Attributes:
        listeners: take events.
        interceptors: of the gRPC server, outermost first, before all others.
    """

    def __init__(
        self,
        *,
        version: str,
        metrics_listen: str = "",
        cameras: Collection[str] = (),
        traces_endpoint: str = "",
        traces_sample: float = 0.0,
        is_worker: bool = False,
    ) -> None:
        """Prepares the metrics and traces that are asked for; by default none.

        Args:
            version: of the server's package.
            metrics_listen: "host:port" of the metrics; "" = none.
            cameras: camera ids that may be labels.
            traces_endpoint: of OTLP over gRPC; "" = no traces.
            traces_sample: share of pictures that are traced.
            is_worker: its parent serves the metrics of all workers, by `text`.

        Raises:
            TracesNotInstalled: OpenTelemetry's packages are missing.
        """
        self.listeners: list[Emit] = []
        self.interceptors: list[aio.ServerInterceptor] = []
        self._metrics_listen = metrics_listen
        self._is_worker = is_worker
        self._registry = (
            CollectorRegistry()
        )  # not the global one: a process may hold several servers
        self._traces: Traces | None = None
        if metrics_listen:
            disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more of each counter, which no one asks for
            self.listeners.append(EventMetrics(self._registry, cameras).listen)
            self.interceptors.append(CallMetrics(self._registry))
            ProcessCollector(registry=self._registry)
        if traces_endpoint:
            self._traces = _traces(traces_endpoint, traces_sample, version)
            self.listeners.append(self._traces.listen)
            self.interceptors.append(self._traces)

    def text(self) -> str:
        """Returns the metrics as Prometheus reads them. To be called in a thread other than the event loop's.

        Raises:
            TimeoutError: the event loop does not run.
        """
        return generate_latest(self._registry).decode()

    @asynccontextmanager
    async def serving(self, sources: Sources, build: Build, emit: Emit) -> AsyncIterator[None]:
        """Serves the metrics for the block; after it, sends the last spans.

        Args:
            sources: where the state is read.
            build: what runs here.
            emit: takes `MetricsListening`.

        Raises:
            OSError: the metrics cannot be served on their address.
        """
        async with contextlib.AsyncExitStack() as stack:
            if self._traces is not None:
                stack.push_async_callback(asyncio.to_thread, self._traces.close)
            if self._metrics_listen:
                self._registry.register(StateCollector(sources, build))
            if self._metrics_listen and not self._is_worker:
                server = MetricsServer(self._metrics_listen, self._registry)
                # Not in the event loop, for which a running scrape waits.
                stack.push_async_callback(asyncio.to_thread, server.stop)
                server.start()
                host = self._metrics_listen.rpartition(":")[0]
                emit(MetricsListening(f"{host}:{server.port}"))
            yield


def _traces(endpoint: str, sample: float, version: str) -> "Traces":
    try:
        # Imported late: the packages are an extra.
        from facewire_server.telemetry.traces import Traces, exporting
    except ModuleNotFoundError as error:
        raise TracesNotInstalled(
            f"traces_endpoint is set, which needs {error.name}: pip install 'facewire-server[otel]'"
        ) from error
    return Traces(exporting(endpoint), sample=sample, version=version)
