"""The metrics of several workers as those of one server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from facewire_server.events import Emit, MetricsListening
from facewire_server.telemetry.http import MetricsServer

__all__ = ["LEAST", "MOST", "WorkersMetrics", "serving_merged"]

_SCRAPE_TIMEOUT_S: Final = 8.0
"""Seconds: more than a worker's event loop has to read its state, less than Prometheus waits by default. Chosen, not measured."""

MOST: Final = frozenset(
    {
        "facewire_streams_limit",
        "facewire_worker_streams_most",
        "facewire_model_replicas",
        "facewire_model_replicas_left_out",
        "facewire_model_info",
        "facewire_store_file_bytes",
        "facewire_store_used_bytes",
        "facewire_store_max_bytes",
        "facewire_store_readers",
        "facewire_store_erasure_pending_seconds",
        "facewire_store_backup_timestamp_seconds",
        "facewire_galleries",
        "facewire_galleries_damaged",
        "facewire_enrollment_crops",
        "facewire_gallery_identities",
        "facewire_gallery_templates",
        "facewire_gallery_revision",
        "facewire_journal_file_bytes",
        "facewire_journal_events",
        "facewire_journal_streams",
        "facewire_journal_crops",
        "facewire_journal_crop_bytes",
        "facewire_build_info",
    }
)
"""Gauges of what all workers share: the largest value is the newest, or says what is wrong with one."""

LEAST: Final = frozenset(
    {
        "facewire_model_healthy",
        "facewire_worker_streams_least",
        "facewire_store_writable",
        "facewire_journal_kept",
        "process_start_time_seconds",
        "process_max_fds",
    }
)
"""Gauges of which the smallest value counts. All others are added up."""

_Key = tuple[str, tuple[tuple[str, str], ...]]
"""A series: its name, and its labels in order."""


@asynccontextmanager
async def serving_merged(
    address: str,
    read: Callable[[float], Awaitable[Mapping[int, str]]],
    ended: Callable[[], Mapping[int, str]],
    deaths: Callable[[], int],
    emit: Emit,
) -> AsyncIterator[None]:
    """Serves the metrics of all workers for the block.

    Args:
        address: "host:port"; "" = they are not asked for.
        read, ended, deaths: see `WorkersMetrics`.
        emit: takes `MetricsListening`.

    Raises:
        OSError: the metrics cannot be served on their address.
    """
    if not address:
        yield
        return
    registry = CollectorRegistry()
    registry.register(WorkersMetrics(read, ended, deaths))
    server = MetricsServer(address, registry)
    server.start()
    emit(MetricsListening(f"{address.rpartition(':')[0]}:{server.port}"))
    try:
        yield
    finally:
        # Not in the event loop, for which a running scrape waits.
        await asyncio.to_thread(server.stop)


class WorkersMetrics(Collector):
    """Reads the metrics of all workers at each scrape."""

    def __init__(
        self,
        read: Callable[[float], Awaitable[Mapping[int, str]]],
        ended: Callable[[], Mapping[int, str]],
        deaths: Callable[[], int],
    ) -> None:
        """To be called in the event loop in which the functions are called.

        Args:
            read: returns the text of each running worker's metrics by its process id, within these seconds.
            ended: returns the last text of each worker that has ended since its last call, by its process id.
            deaths: workers that ended without being asked to.
        """
        self._read = read
        self._ended = ended
        self._deaths = deaths
        self._loop = asyncio.get_running_loop()
        self._counts: dict[int, dict[_Key, float]] = {}  # by process id, also of those that ended

    def collect(self) -> Iterator[Metric]:
        """Reads and merges. To be called in a thread other than the event loop's.

        Raises:
            TimeoutError: the event loop does not run.
        """
        reading = asyncio.run_coroutine_threadsafe(self._merged(), self._loop)
        try:
            yield from reading.result(2 * _SCRAPE_TIMEOUT_S)
        finally:
            reading.cancel()

    async def _merged(self) -> list[Metric]:
        # Two scrapes at a time do not interleave: nothing is awaited after the reading.
        texts = await self._read(_SCRAPE_TIMEOUT_S)
        metrics: dict[str, Metric] = {}
        values: dict[str, dict[_Key, float]] = {}
        for pid, text in texts.items():
            counts: dict[_Key, float] = {}
            for family in text_string_to_metric_families(text):
                metrics.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                of_family = values.setdefault(family.name, {})
                for sample in family.samples:
                    key = (sample.name, tuple(sorted(sample.labels.items())))
                    if family.type == "gauge":
                        of_family[key] = _joined(family.name, of_family.get(key), sample.value)
                    else:
                        counts[key] = sample.value
            if counts:
                self._counts[pid] = counts
        for pid, text in self._ended().items():
            self._counts[pid] = _counts_of(text) or self._counts.get(pid, {})
        self._retire(texts.keys())
        for counts in self._counts.values():
            for key, value in counts.items():
                if (name := _family_of(key[0], metrics)) is not None:
                    of_family = values[name]
                    of_family[key] = of_family.get(key, 0.0) + value
        if "facewire_worker_deaths" in metrics:
            values["facewire_worker_deaths"] = {
                ("facewire_worker_deaths_total", ()): float(self._deaths())
            }
        for name, metric in metrics.items():
            for (sample_name, labels), value in values[name].items():
                metric.add_sample(sample_name, dict(labels), value)
        return list(metrics.values())

    def _retire(self, running: Collection[int]) -> None:
        """Adds the counts of workers that have ended to one entry, 0, which no process has as its id."""
        ended = [pid for pid in self._counts if pid and pid not in running]
        for pid in ended:
            retired = self._counts.setdefault(0, {})
            for key, value in self._counts.pop(pid).items():
                retired[key] = retired.get(key, 0.0) + value


def _counts_of(text: str) -> dict[_Key, float]:
    """Returns the series of a text that are no gauges."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        if family.type != "gauge"
        for sample in family.samples
    }


def _joined(name: str, before: float | None, value: float) -> float:
    if before is None:
        return value
    if name in MOST:
        return max(before, value)
    return min(before, value) if name in LEAST else before + value


def _family_of(sample_name: str, metrics: Mapping[str, Metric]) -> str | None:
    """Returns the family of a series; None if no running worker has it."""
    for suffix in ("_total", "_bucket", "_sum", "_count", ""):
        if sample_name.endswith(suffix) and (name := sample_name.removesuffix(suffix)) in metrics:
            return name
    return None
