"""The cost of metrics and logs: the throughput of four streams with and without them, in turns.

Two servers with the same models: one that logs and whose metrics are scraped every second, and one that drops every
event (`harness.silent_server`). The turns of a
pair follow each other, in alternating order, and the ratio is taken pair by pair. Beside the throughput stands the
processor time a frame, which the rest of the machine moves less.
"""

import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import cv2
import numpy as np
import psutil
from skimage import data

from bench.intervals import median_of
from bench.report import Report, parser, progress, run
from harness.model_servers import free_port
from harness.running import RunningServer, running_server
from harness.streaming import OneInFlight

__all__: list[str] = []

_STREAMS: Final = 4
_WARM_UP_S: Final = 2.0
_SCRAPE_EVERY_S: Final = 1.0
"""Fifteen times as often as Prometheus usually does."""

AIM: Final = 0.98
"""Least share of the throughput that is left with metrics and logs."""


class _Turn(NamedTuple):
    frames_per_s: float
    processor_ms: float


def main() -> int:
    flags = parser("metrics_overhead", __doc__)
    flags.add_argument("--pairs", type=int, default=20, help="of turns, >= 6")
    flags.add_argument("--seconds", type=float, default=4.0, help="of each turn")
    arguments = flags.parse_args()
    portrait = data.astronaut()
    picture = cv2.imencode(".jpg", portrait[:, :, ::-1])[1].tobytes()
    report = Report("metrics_overhead", arguments)
    port = free_port()
    with (
        running_server(module="harness.silent_server") as without,
        running_server(metrics_listen=f"127.0.0.1:{port}") as with_,
    ):
        servers = {"without": without, "with metrics and logs": with_}
        for server in servers.values():
            _turn(server, picture, _WARM_UP_S)
        turns: dict[str, list[_Turn]] = {name: [] for name in servers}
        with _scraped(port):
            pairs = max(6, arguments.pairs)
            for pair in progress(range(pairs), "pairs", pairs):
                for name in list(servers)[:: -1 if pair % 2 else 1]:
                    turns[name].append(_turn(servers[name], picture, arguments.seconds))
    _show(report, turns)
    return report.finish()


def _turn(server: RunningServer, picture: bytes, seconds: float) -> _Turn:
    process = psutil.Process(server.pid)
    counts = [0] * _STREAMS
    ends_at_s = time.monotonic() + seconds

    def camera(index: int) -> None:
        with server.channel() as channel, OneInFlight(channel) as stream:
            while time.monotonic() < ends_at_s:
                stream.send(picture)
                counts[index] += 1

    before, started_s = process.cpu_times(), time.perf_counter()
    threads = [threading.Thread(target=camera, args=(index,)) for index in range(_STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s, after = time.perf_counter() - started_s, process.cpu_times()
    processor_s = after.user + after.system - before.user - before.system
    return _Turn(sum(counts) / took_s, processor_s / sum(counts) * 1e3)


@contextmanager
def _scraped(port: int) -> Iterator[None]:
    """Reads the metrics every second for the block."""
    stop = threading.Event()

    def scrape() -> None:
        while not stop.wait(_SCRAPE_EVERY_S):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
                response.read()

    scraping = threading.Thread(target=scrape)
    scraping.start()
    try:
        yield
    finally:
        stop.set()
        scraping.join()


def _show(report: Report, turns: dict[str, list[_Turn]]) -> None:
    report.table(
        f"{_STREAMS} streams of one 512 × 512 picture with one face",
        ["", "frames/s, median", "least", "most", "processor ms a frame, median"],
        [
            (
                name,
                *(f([turn.frames_per_s for turn in found]) for f in (np.median, min, max)),
                float(np.median([turn.processor_ms for turn in found])),
            )
            for name, found in turns.items()
        ],
    )
    pairs = list(zip(turns["with metrics and logs"], turns["without"], strict=True))
    ratio, sure = median_of([with_.frames_per_s / without.frames_per_s for with_, without in pairs])
    cost, cost_sure = median_of(
        [with_.processor_ms / without.processor_ms for with_, without in pairs]
    )
    report.note(f"processor time a frame, with ÷ without: {cost:.3f} ({cost_sure:.3f})\n")
    report.values |= {
        "ratio": ratio,
        "ratio_interval": sure,
        "processor_ratio": cost,
        "processor_ratio_interval": cost_sure,
    }
    report.aim(
        f"throughput with ÷ without ≥ {AIM:g}", f"{ratio:.3f} ({sure:.3f})", met=ratio >= AIM
    )


if __name__ == "__main__":
    run(main)
