"""The state is read in its event loop, at a scrape, and shown with a bounded number of series."""

import asyncio
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from facewire_server.errors import TooManyStreams
from facewire_server.galleries.records import GallerySize, StoreStatistics
from facewire_server.proof.opened import ModelStatistics
from facewire_server.streams.journal import JournalStatistics
from facewire_server.streams.registry import StreamsStatistics
from facewire_server.telemetry import state
from facewire_server.telemetry.state import Build, Sources, StateCollector
from facewire_server.work.held_bytes import ByteStatistics
from facewire_server.work.slots import SlotStatistics

MODEL = ModelStatistics(
    name="mtcnn",
    runs_at="detector:8501",
    replica_count=2,
    left_out_count=1,
    proven_versions=(3, 4),
    healthy=False,
    refusal="Alice Example",
    ok=5,
    unavailable=6,
    timed_out=7,
    cancelled=8,
    retried=9,
    repeated=10,
    declined=11,
    in_flight=1,
    waiting=4,
    total_s=2.5,
    faces=12,
)
STORE = StoreStatistics(
    file_bytes=4096,
    used_bytes=2048,
    map_bytes=8192,
    max_bytes=1 << 20,
    reader_count=3,
    galleries=(GallerySize("default", 7, 2, 5),),
    erasure_pending_s=12.5,
    backed_up_at_s=1_800_000_000.0,
)


async def store() -> StoreStatistics:
    return STORE


async def journal() -> JournalStatistics:
    return JournalStatistics(True, 100, 6, 2, 30, 81_920, 90_000)


SOURCES = Sources(
    slots=lambda: SlotStatistics(4, 3, 2, 1),
    held_bytes=lambda: {"stream": ByteStatistics(100, 60), "call": ByteStatistics(50, 20)},
    left_behind=lambda: 1,
    streams=lambda: StreamsStatistics(64, 5, 9, {TooManyStreams: 11}, 3),
    models=lambda: (MODEL,),
    store=store,
    journal=journal,
)
BUILD = Build("1.2.3", "0123456789abcdef", "tensorflow_serving")


async def scraped(sources: Sources = SOURCES) -> CollectorRegistry:
    """A registry of what the collector yields in another thread, as it does at a scrape."""
    collector = StateCollector(sources, BUILD)
    families = await asyncio.to_thread(lambda: list(collector.collect()))

    class Collected:
        def collect(self):
            return families

    registry = CollectorRegistry()
    registry.register(Collected())
    return registry


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("slots", {}, 4),
        ("slots_in_use", {}, 3),
        ("slots_waiting", {"kind": "stream"}, 2),
        ("slots_waiting", {"kind": "call"}, 1),
        ("held_bytes", {"kind": "stream"}, 60),
        ("held_bytes_limit", {"kind": "stream"}, 100),
        ("held_bytes", {"kind": "call"}, 20),
        ("held_bytes_limit", {"kind": "call"}, 50),
        ("pictures_left_behind", {}, 1),
        ("streams_limit", {}, 64),
        ("streams_open", {}, 5),
        ("worker_streams_most", {}, 5),
        ("worker_streams_least", {}, 5),
        ("streams_opened_total", {}, 9),
        ("streams_moved_total", {}, 3),
        ("streams_refused_total", {"reason": "TOO_MANY_STREAMS"}, 11),
        ("streams_refused_total", {"reason": "SHUTTING_DOWN"}, 0),
        ("model_calls_total", {"servable": "mtcnn", "outcome": "ok"}, 5),
        ("model_calls_total", {"servable": "mtcnn", "outcome": "unavailable"}, 6),
        ("model_calls_total", {"servable": "mtcnn", "outcome": "timed_out"}, 7),
        ("model_calls_total", {"servable": "mtcnn", "outcome": "cancelled"}, 8),
        ("model_retries_total", {"servable": "mtcnn", "reason": "unproven"}, 9),
        ("model_retries_total", {"servable": "mtcnn", "reason": "failed"}, 10),
        ("model_retries_total", {"servable": "mtcnn", "reason": "declined"}, 11),
        ("model_calls_waiting", {"servable": "mtcnn"}, 4),
        ("model_replicas_left_out", {"servable": "mtcnn"}, 1),
        ("model_calls_in_flight", {"servable": "mtcnn"}, 1),
        ("model_call_seconds_total", {"servable": "mtcnn"}, 2.5),
        ("model_faces_total", {"servable": "mtcnn"}, 12),
        ("model_healthy", {"servable": "mtcnn"}, 0),
        ("model_replicas", {"servable": "mtcnn"}, 2),
        (
            "model_info",
            {"servable": "mtcnn", "runs_at": "detector:8501", "versions": "3,4"},
            1,
        ),
        ("journal_kept", {}, 1),
        ("journal_events", {}, 100),
        ("journal_streams", {}, 6),
        ("journal_watchers", {}, 2),
        ("journal_crops", {}, 30),
        ("journal_file_bytes", {}, 81_920),
        ("journal_crop_bytes", {}, 90_000),
        ("store_file_bytes", {}, 4096),
        ("store_used_bytes", {}, 2048),
        ("store_max_bytes", {}, 1 << 20),
        ("store_readers", {}, 3),
        ("store_erasure_pending_seconds", {}, 12.5),
        ("store_backup_timestamp_seconds", {}, 1_800_000_000),
        ("galleries", {}, 1),
        ("gallery_identities", {"gallery": "default"}, 2),
        ("gallery_templates", {"gallery": "default"}, 5),
        ("gallery_revision", {"gallery": "default"}, 7),
        (
            "build_info",
            {"version": "1.2.3", "contract": "0123456789ab", "engine": "tensorflow_serving"},
            1,
        ),
    ],
)
async def test_each_number_is_shown(name: str, labels: dict[str, str], value: float) -> None:
    registry = await scraped()
    assert registry.get_sample_value(f"facewire_{name}", labels) == value


async def test_memory_is_that_of_this_process() -> None:
    registry = await scraped()
    shown = registry.get_sample_value("facewire_process_pss_bytes")
    assert shown is not None
    assert shown > 1 << 20, "a Python process takes more than a megabyte"


async def test_many_galleries_are_added_up() -> None:
    count = state._GALLERIES_SHOWN + 3
    galleries = tuple(GallerySize(f"g{row:04}", row, 1, 10) for row in range(count))

    async def crowded() -> StoreStatistics:
        return replace(STORE, galleries=galleries)

    registry = await scraped(replace(SOURCES, store=crowded))
    other = {"gallery": "other"}
    assert registry.get_sample_value("facewire_galleries") == count
    assert registry.get_sample_value("facewire_gallery_identities", other) == 3
    assert registry.get_sample_value("facewire_gallery_templates", other) == 30
    assert registry.get_sample_value("facewire_gallery_revision", other) is None
    shown = [
        sample.labels["gallery"]
        for family in registry.collect()
        if family.name == "facewire_gallery_templates"
        for sample in family.samples
    ]
    assert len(shown) == state._GALLERIES_SHOWN + 1


async def test_a_loop_that_stands_still_fails_the_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_READ_TIMEOUT_S", 0.01)

    async def never() -> StoreStatistics:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(TimeoutError):
        await scraped(replace(SOURCES, store=never))
    while len(asyncio.all_tasks()) > 1:  # the reading is cancelled, not left behind
        await asyncio.sleep(0)
