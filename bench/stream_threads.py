"""Frames a second and processor time a frame, with one stream and with several, beside another version of the server.

Each stream sends the frames of a clip, one after the other. The turns of the two servers follow each other, in alternating order, and
the ratios are taken pair by pair, so that other load of the machine affects both. Processor time is the steadier of the two.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import psutil

from bench.intervals import median_of
from bench.report import Report, parser, progress, run
from harness import REPOSITORY, pictures
from harness.running import RunningServer, running_checkout
from harness.streaming import OneInFlight

__all__: list[str] = []

_STREAMS: Final = (1, 2)
_FRAMES: Final = 60
"""Frames of the clip that are sent in turn. Chosen, not measured."""

_LEAST_PAIRS: Final = 6
_OPEN_FILES: Final = 1024
_HERE: Final = "this version"


class _Turn(NamedTuple):
    frames_per_s: float
    processor_ms: float


def main() -> int:
    flags = parser("stream_threads", __doc__)
    flags.add_argument("--checkout", type=Path, help="the other version; default: this one again")
    flags.add_argument("--clip", default="woman_720p.mp4", help="of the lent clips")
    flags.add_argument("--pairs", type=int, default=6, help="of turns, >= 6")
    flags.add_argument("--seconds", type=float, default=4.0, help="of each turn")
    arguments = flags.parse_args()
    clip = pictures.folder("video") / arguments.clip
    frames = pictures.evenly(list(pictures.video_frames(clip)), _FRAMES)
    report = Report("stream_threads", arguments)
    checkouts = {"other version": arguments.checkout or REPOSITORY, _HERE: REPOSITORY}
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(running_checkout(path, open_files=_OPEN_FILES))
            for name, path in checkouts.items()
        }
        pairs = max(_LEAST_PAIRS, arguments.pairs)
        for streams in _STREAMS:
            turns: dict[str, list[_Turn]] = {name: [] for name in servers}
            for pair in progress(range(1 + pairs), f"{streams} streams", 1 + pairs):
                for name in list(servers)[:: -1 if pair % 2 else 1]:
                    turn = _turn(servers[name], frames, streams, arguments.seconds)
                    if pair:  # the first one warms up
                        turns[name].append(turn)
            _show(report, streams, turns)
    return report.finish()


def _turn(server: RunningServer, frames: Sequence[bytes], streams: int, seconds: float) -> _Turn:
    process = psutil.Process(server.pid)
    counts = [0] * streams
    ends_at_s = time.monotonic() + seconds

    def camera(index: int) -> None:
        with server.channel() as channel, OneInFlight(channel) as stream:
            while time.monotonic() < ends_at_s:
                stream.send(frames[counts[index] % len(frames)])
                counts[index] += 1

    before, started_s = process.cpu_times(), time.perf_counter()
    threads = [threading.Thread(target=camera, args=(index,)) for index in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s, after = time.perf_counter() - started_s, process.cpu_times()
    processor_s = after.user + after.system - before.user - before.system
    return _Turn(sum(counts) / took_s, processor_s / sum(counts) * 1e3)


def _show(report: Report, streams: int, turns: dict[str, list[_Turn]]) -> None:
    lines: list[tuple[str, float | str, float | str]] = []
    for name, found in turns.items():
        per_s = float(np.median([turn.frames_per_s for turn in found]))
        processor_ms = float(np.median([turn.processor_ms for turn in found]))
        lines.append((name, per_s, processor_ms))
        report.values[f"{streams} streams, {name}"] = {
            "frames_per_s": per_s,
            "processor_ms": processor_ms,
        }
    other, here = turns.values()
    for what in ("frames_per_s", "processor_ms"):
        ratios = [getattr(b, what) / getattr(a, what) for a, b in zip(other, here, strict=True)]
        ratio, sure = median_of(ratios)
        report.values[f"{streams} streams, ratio of {what}"] = ratio
        lines.append((f"ratio of {what}", f"{ratio:.3f}", f"({sure:.3f})"))
    report.table(
        f"{streams} streams", ["", "frames/s, median", "processor ms a frame, median"], lines
    )


if __name__ == "__main__":
    run(main)
