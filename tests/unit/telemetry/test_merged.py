"""The metrics of several workers add up to those of one server, also after one has died."""

import asyncio

from prometheus_client.core import Metric

from facewire_server.telemetry.catalog import ROWS
from facewire_server.telemetry.merged import LEAST, MOST, WorkersMetrics

TEXT = """# HELP facewire_frames_read_total Frames
# TYPE facewire_frames_read_total counter
facewire_frames_read_total{{camera="other"}} {frames}
# HELP facewire_streams_open Streams open
# TYPE facewire_streams_open gauge
facewire_streams_open {open}
# HELP facewire_galleries Galleries
# TYPE facewire_galleries gauge
facewire_galleries 3
# HELP facewire_store_writable Writable
# TYPE facewire_store_writable gauge
facewire_store_writable {writable}
# HELP facewire_worker_deaths_total Deaths
# TYPE facewire_worker_deaths_total counter
facewire_worker_deaths_total 0
# HELP facewire_frame_latency_seconds Time
# TYPE facewire_frame_latency_seconds histogram
facewire_frame_latency_seconds_bucket{{le="0.1"}} {frames}
facewire_frame_latency_seconds_bucket{{le="+Inf"}} {frames}
facewire_frame_latency_seconds_count {frames}
facewire_frame_latency_seconds_sum 0.5
"""


def text(frames: int, *, streams: int = 1, writable: int = 1) -> str:
    return TEXT.format(frames=frames, open=streams, writable=writable)


async def scraped(merged: WorkersMetrics) -> dict[str, float]:
    """The series without their labels, which differ in `le` only."""
    families: list[Metric] = await asyncio.to_thread(lambda: list(merged.collect()))
    return {sample.name: sample.value for one in families for sample in one.samples}


async def test_counts_and_own_gauges_add_up_and_what_is_shared_is_there_once() -> None:
    texts = {7: text(2, streams=3), 8: text(5, writable=0)}

    async def read(within_s: float) -> dict[int, str]:
        return texts

    found = await scraped(WorkersMetrics(read, dict, lambda: 4))
    assert found == {
        "facewire_frames_read_total": 7,
        "facewire_streams_open": 4,
        "facewire_galleries": 3,
        "facewire_store_writable": 0,
        "facewire_worker_deaths_total": 4,
        "facewire_frame_latency_seconds_bucket": 7,
        "facewire_frame_latency_seconds_count": 7,
        "facewire_frame_latency_seconds_sum": 1.0,
    }


async def test_no_count_falls_when_a_worker_dies_and_its_gauges_go() -> None:
    texts = {7: text(2), 8: text(5, streams=9)}

    async def read(within_s: float) -> dict[int, str]:
        return texts

    merged = WorkersMetrics(read, dict, lambda: 0)
    await scraped(merged)
    for now, frames in (({7: text(3)}, 8), ({7: text(3), 9: text(1)}, 9), ({9: text(4)}, 12)):
        texts = now
        found = await scraped(merged)
        assert found["facewire_frames_read_total"] == frames
        assert found["facewire_frame_latency_seconds_count"] == frames
        assert found["facewire_streams_open"] == len(now)


def test_every_exception_is_a_gauge_of_the_catalog() -> None:
    gauges = {row.name for row in ROWS if row.kind == "gauge"}
    assert gauges >= MOST | LEAST
    assert not MOST & LEAST


async def test_what_a_worker_counted_after_the_last_scrape_is_kept_when_it_ends() -> None:
    texts = {7: text(2), 8: text(5)}
    ended: list[dict[int, str]] = [{}, {7: text(4)}, {}, {8: ""}]

    async def read(within_s: float) -> dict[int, str]:
        return texts

    merged = WorkersMetrics(read, lambda: ended.pop(0), lambda: 0)
    found = [await scraped(merged)]
    del texts[7]
    texts[9] = text(1)
    found += [await scraped(merged), await scraped(merged)]
    del texts[8]  # killed: what it counted since the last scrape is lost
    found += [await scraped(merged)]
    assert [one["facewire_frames_read_total"] for one in found] == [7, 10, 10, 10]
    assert [one["facewire_streams_open"] for one in found] == [2, 2, 2, 1]
    assert found[-1]["facewire_frame_latency_seconds_count"] == 10
