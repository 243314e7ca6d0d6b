"""Reads a server's `statistics()` at each scrape, in its event loop, and shows them as metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from facewire_server.errors import ShuttingDown, TooManyStreams, WorkerBusy
from facewire_server.galleries.records import GallerySize, StoreStatistics
from facewire_server.proof.opened import ModelStatistics
from facewire_server.streams.journal import JournalStatistics
from facewire_server.streams.registry import StreamsStatistics
from facewire_server.telemetry.catalog import family
from facewire_server.telemetry.metrics import OTHER, reason
from facewire_server.work.held_bytes import ByteStatistics
from facewire_server.work.slots import SlotStatistics

__all__ = ["Build", "Sources", "StateCollector"]

_READ_TIMEOUT_S: Final = 5.0
"""Seconds: an event loop that is blocked for longer fails the scrape, so that `up` is 0. Chosen, not measured."""

_GALLERIES_SHOWN: Final = 64
"""Galleries with their own series; those beyond, in order of id, are added up, since clients create galleries.
Chosen, not measured."""

_ROLLUP: Final = Path("/proc/self/smaps_rollup")

_REFUSALS: Final = (TooManyStreams, WorkerBusy, ShuttingDown)
"""The errors with which `Streams` refuses; their series exist from the start, so that a rate counts the first refusal."""

_Family: TypeAlias = CounterMetricFamily | GaugeMetricFamily

_Sample: TypeAlias = tuple[str, Sequence[str], float]
"""Name of the row, label values, value."""


@dataclass(frozen=True, slots=True)
class Build:
    """Version, model contract and engines of this server.

    Attributes:
        version: of the server's package.
        contract_id: of the model contract.
        engine: "openvino", "tensorflow_serving", or both with a comma between.
    """

    version: str
    contract_id: str
    engine: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The functions that read the state; each is called in the event loop. `held_bytes` is by "stream" or "call"."""

    slots: Callable[[], SlotStatistics]
    held_bytes: Callable[[], Mapping[str, ByteStatistics]]
    left_behind: Callable[[], int]
    streams: Callable[[], StreamsStatistics]
    models: Callable[[], Sequence[ModelStatistics]]
    store: Callable[[], Awaitable[StoreStatistics]]
    journal: Callable[[], Awaitable[JournalStatistics]]


class StateCollector(Collector):
    """The metrics whose values are read at each scrape."""

    def __init__(self, sources: Sources, build: Build) -> None:
        """To be called in the event loop that the sources belong to."""
        self._sources = sources
        self._build = build
        self._loop = asyncio.get_running_loop()

    def collect(self) -> Iterator[_Family]:
        """Reads the state. To be called in a thread other than the event loop's.

        Raises:
            TimeoutError: the event loop does not run.
        """
        reading = asyncio.run_coroutine_threadsafe(self._read(), self._loop)
        try:
            rows = reading.result(_READ_TIMEOUT_S)
        finally:
            reading.cancel()
        if (pss := _pss_bytes()) is not None:
            rows.append(("facewire_process_pss_bytes", (), pss))
        families: dict[str, Any] = {}
        for name, labels, value in rows:
            if name not in families:
                families[name] = family(name)
            families[name].add_metric(labels, value)
        yield from families.values()

    async def _read(self) -> list[_Sample]:
        sources, build = self._sources, self._build
        info = (build.version, build.contract_id[:12], build.engine)
        return [
            ("facewire_build_info", info, 1),
            ("facewire_workers", (), 1),
            ("facewire_worker_deaths_total", (), 0),
            *_work(sources.slots(), sources.streams()),
            *_held(sources.held_bytes()),
            ("facewire_pictures_left_behind", (), sources.left_behind()),
            *(row for model in sources.models() for row in _model(model)),
            *_store(await sources.store()),
            *_journal(await sources.journal()),
        ]


def _pss_bytes() -> float | None:
    """Returns the proportional set size of this process; None if the kernel does not report it."""
    try:
        lines = _ROLLUP.read_text().splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)


def _work(slots: SlotStatistics, streams: StreamsStatistics) -> Iterator[_Sample]:
    yield "facewire_slots", (), slots.count
    yield "facewire_slots_in_use", (), slots.in_use
    yield "facewire_slots_waiting", ("stream",), slots.waiting_streams
    yield "facewire_slots_waiting", ("call",), slots.waiting_calls
    yield "facewire_streams_limit", (), streams.max_streams
    yield "facewire_streams_open", (), streams.open
    yield "facewire_worker_streams_most", (), streams.open
    yield "facewire_worker_streams_least", (), streams.open
    yield "facewire_streams_opened_total", (), streams.opened
    yield "facewire_streams_moved_total", (), streams.moved
    for error in _REFUSALS:
        yield "facewire_streams_refused_total", (reason(error),), streams.refused.get(error, 0)


def _held(budgets: Mapping[str, ByteStatistics]) -> Iterator[_Sample]:
    for kind, budget in budgets.items():
        yield "facewire_held_bytes", (kind,), budget.held_bytes
        yield "facewire_held_bytes_limit", (kind,), budget.most_bytes


def _model(model: ModelStatistics) -> Iterator[_Sample]:
    own = (model.name,)
    for outcome in ("ok", "unavailable", "timed_out", "cancelled"):
        yield "facewire_model_calls_total", (*own, outcome), getattr(model, outcome)
    yield "facewire_model_calls_in_flight", own, model.in_flight
    yield "facewire_model_call_seconds_total", own, model.total_s
    yield "facewire_model_faces_total", own, model.faces
    yield "facewire_model_calls_waiting", own, model.waiting
    for why, count in (
        ("unproven", model.retried),
        ("failed", model.repeated),
        ("declined", model.declined),
    ):
        yield "facewire_model_retries_total", (*own, why), count
    yield "facewire_model_healthy", own, model.healthy
    yield "facewire_model_replicas", own, model.replica_count
    yield "facewire_model_replicas_left_out", own, model.left_out_count
    versions = ",".join(map(str, model.proven_versions))
    yield "facewire_model_info", (*own, model.runs_at, versions), 1


def _journal(journal: JournalStatistics) -> Iterator[_Sample]:
    yield "facewire_journal_kept", (), journal.is_kept
    yield "facewire_journal_file_bytes", (), journal.file_bytes
    yield "facewire_journal_events", (), journal.events
    yield "facewire_journal_streams", (), journal.streams
    yield "facewire_journal_watchers", (), journal.watchers
    yield "facewire_journal_crops", (), journal.crops
    yield "facewire_journal_crop_bytes", (), journal.crop_bytes


def _store(store: StoreStatistics) -> Iterator[_Sample]:
    yield "facewire_store_file_bytes", (), store.file_bytes
    yield "facewire_store_used_bytes", (), store.used_bytes
    yield "facewire_store_max_bytes", (), store.max_bytes
    yield "facewire_store_readers", (), store.reader_count
    yield "facewire_store_writable", (), store.is_writable
    yield "facewire_store_erasure_pending_seconds", (), store.erasure_pending_s
    yield "facewire_store_backup_timestamp_seconds", (), store.backed_up_at_s
    yield "facewire_galleries_damaged", (), store.damaged_gallery_count
    yield "facewire_enrollment_crops", (), store.crop_count
    yield "facewire_galleries", (), len(store.galleries)
    for gallery in store.galleries[:_GALLERIES_SHOWN]:
        yield from _gallery(gallery)
    if beyond := store.galleries[_GALLERIES_SHOWN:]:
        # The sum of revisions means nothing, so it is left out.
        other = (OTHER,)
        yield "facewire_gallery_identities", other, sum(one.identity_count for one in beyond)
        yield "facewire_gallery_templates", other, sum(one.template_count for one in beyond)


def _gallery(gallery: GallerySize) -> Iterator[_Sample]:
    own = (gallery.gallery_id,)
    yield "facewire_gallery_identities", own, gallery.identity_count
    yield "facewire_gallery_templates", own, gallery.template_count
    yield "facewire_gallery_revision", own, gallery.revision
