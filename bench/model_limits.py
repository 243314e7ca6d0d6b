"""Frames lost to model servers that decline calls or fail: with few threads, and with one of two replicas failing.

First the stand-in for TensorFlow Serving runs with the real one's `--grpc_max_threads 8`, for both models, and twelve cameras send
two frames a second each. Then one `embedding` declines every other call, as with a full queue of batches. Then `embedding` stands behind two replicas, one of which fails in each way for a while and is well again:
frames lost, calls that it failed, seconds until the last frame was lost, until the server's metrics say that it is left out, and from its
recovery until it is called again. `--checkout` measures another version:

    git worktree add ../before d00ee81
    python -m bench.model_limits --checkout ../before
"""

import math
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from skimage import data

from bench.report import Report, parser, progress, run
from harness import REPOSITORY
from harness.faulty_replica import FAULTS, FaultyReplica, faulty_replica
from harness.load import Load
from harness.model_servers import free_port, model_servers
from harness.running import RunningServer, running_checkout
from harness.shares import Counted
from harness.streaming import OneInFlight

__all__: list[str] = []

_CAMERAS: Final = 12
_FPS: Final = 2.0
_THREADS: Final = "--grpc_max_threads=8"
_ENGINE: Final = "--engine=openvino"
"""The faster engine on a processor, so that the limit and not the processors decides."""

_OPEN_FILES: Final = 1024
_READY_S: Final = 120.0
_SIZE_PX: Final = 300
_EVERY_S: Final = 0.05
"""Seconds between two looks at what a replica was called for."""

_FAULTS: Final = ("INTERNAL", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "garbage: bytes", "hangs")


def main() -> int:
    flags = parser("model_limits", __doc__)
    flags.add_argument("--seconds", type=float, default=12.0, help="of each part")
    flags.add_argument(
        "--checkout", type=Path, default=REPOSITORY, help="folder of the server's code"
    )
    flags.add_argument("--faults", nargs="*", default=_FAULTS, choices=sorted(FAULTS))
    arguments = flags.parse_args()
    checkout, seconds = arguments.checkout.resolve(), arguments.seconds
    report, picture = Report("model_limits", arguments), _picture()
    metrics = f"127.0.0.1:{free_port()}"
    with model_servers("mtcnn", "embedding", flags=(_THREADS, _ENGINE)) as (mtcnn, embedding):
        both = {"detector_address": mtcnn.address, "embedder_address": embedding.address}
        with _serving(checkout, picture, both) as server, Load(server) as load:
            cameras = _cameras(load, picture)
            time.sleep(seconds)
        _of_cameras(report, f"both models with {_THREADS}", cameras)
        with faulty_replica(embedding.address) as only:
            alone = {"embedder_address": only.address}
            with _serving(checkout, picture, alone) as server, Load(server) as load:
                only.every = 2
                only.fail("UNAVAILABLE")
                cameras = _cameras(load, picture)
                time.sleep(seconds)
        _of_cameras(report, "the only replica declines every other call as UNAVAILABLE", cameras)
        with (
            faulty_replica(embedding.address) as bad,
            faulty_replica(embedding.address) as good,
            _serving(
                checkout,
                picture,
                {
                    "embedder_address": f"{bad.address},{good.address}",
                    "metrics_listen": metrics,
                },
            ) as server,
        ):
            lines = [
                _failing(server, metrics, picture, bad, fault, seconds)
                for fault in progress(arguments.faults, "faults", len(arguments.faults))
            ]
    columns = ["fault", "frames", "lost", "calls failed", "last lost, s", "left out, s", "back, s"]
    report.table("one of two replicas fails", columns, [list(map(_cell, line)) for line in lines])
    report.values["faults"] = [dict(zip(columns, line, strict=True)) for line in lines]
    lost = sum(one["lost"] for one in report.values["cameras"]) + sum(line[2] for line in lines)
    report.aim("frames lost", f"{lost}", met=lost == 0)
    return report.finish()


def _of_cameras(report: Report, what: str, cameras: list[Counted]) -> None:
    answers, lost = _counts(cameras)
    reasons = {
        reason: sum(one.refused.count(reason) for one in cameras) for reason in _reasons(cameras)
    }
    report.table(
        f"{_CAMERAS} cameras of {_FPS:g} frames a second, {what}",
        ["frames answered", "lost", "by reason"],
        [(f"{answers + lost}", f"{lost}", ", ".join(f"{n} {name}" for name, n in reasons.items()))],
    )
    found = {"what": what, "answered": answers + lost, "lost": lost, "reasons": reasons}
    report.values.setdefault("cameras", []).append(found)


def _reasons(cameras: list[Counted]) -> list[str]:
    return sorted({reason for one in cameras for reason in one.refused})


def _failing(
    server: RunningServer,
    metrics: str,
    picture: bytes,
    bad: FaultyReplica,
    fault: str,
    seconds: float,
) -> tuple[str, int, int, int, float, float, float]:
    with Load(server) as load:
        cameras = _cameras(load, picture)
        _until_called(bad, seconds)
        frames, lost, failed = sum(_counts(cameras)), _counts(cameras)[1], bad.failed
        last_lost_s, left_out_s, seen_lost = 0.0, float("nan"), lost
        bad.fail(fault)
        began_s = time.monotonic()
        while (now_s := time.monotonic() - began_s) < seconds:
            time.sleep(_EVERY_S)
            if _counts(cameras)[1] > seen_lost:
                seen_lost, last_lost_s = _counts(cameras)[1], now_s
            if math.isnan(left_out_s) and _is_left_out(metrics):
                left_out_s = now_s
        frames, lost = sum(_counts(cameras)) - frames, _counts(cameras)[1] - lost
        failed = bad.failed - failed
        bad.recover()
        back_s = _until_called(bad, 4 * seconds)
    return fault, frames, lost, failed, last_lost_s, left_out_s, back_s


def _is_left_out(metrics: str) -> bool:
    """Whether the server says so; an older one does not know."""
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=30) as response:
        text = response.read().decode()
    found = re.search(
        r'^facewire_model_replicas_left_out.*"embedding".* (\S+)$', text, re.MULTILINE
    )
    return found is not None and float(found[1]) > 0


def _until_called(replica: FaultyReplica, seconds: float) -> float:
    """Waits until a replica answers more calls than canaries are; returns how long that took."""
    began_s, answered = time.monotonic(), replica.answered
    while replica.answered < answered + 3 and time.monotonic() - began_s < seconds:
        time.sleep(_EVERY_S)
    return time.monotonic() - began_s


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "never" if math.isnan(value) else f"{value:.1f}"
    return str(value)


def _counts(cameras: list[Counted]) -> tuple[int, int]:
    """Returns the numbers of frames recognized and lost."""
    return sum(len(one.answers) for one in cameras), sum(len(one.refused) for one in cameras)


def _cameras(load: Load, picture: bytes) -> list[Counted]:
    return [load.stream(picture, fps=_FPS) for _ in range(_CAMERAS)]


@contextmanager
def _serving(checkout: Path, picture: bytes, addresses: dict[str, str]) -> Iterator[RunningServer]:
    """A server of the checkout, whose models have answered."""
    with running_checkout(checkout, open_files=_OPEN_FILES, **addresses) as server:
        give_up_at_s = time.monotonic() + _READY_S
        with server.channel() as channel, OneInFlight(channel) as stream:
            while stream.send(picture).reason:
                if time.monotonic() > give_up_at_s:
                    raise RuntimeError("the models do not answer")
        yield server


def _picture() -> bytes:
    """One face, which is small: the limit is measured, not the processors."""
    face = np.ascontiguousarray(data.astronaut()[:_SIZE_PX, 80 : 80 + _SIZE_PX, ::-1])
    return cv2.imencode(".jpg", face)[1].tobytes()


if __name__ == "__main__":
    run(main)
