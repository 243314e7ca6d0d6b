"""One of two workers is killed under the streams of cameras, and later all are replaced one after the other: frames answered twice, visits, gaps.

The gap is the longest time between two results of a camera, seconds; a camera of the SDK waits up to a second before it connects
again. "others" are the cameras of the worker that was not killed.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

import facewire
from bench.report import Report, parser, run
from harness.made_people import made_pair, portrait_of
from harness.running import RunningServer, running_server
from harness.sdk_cameras import SdkCamera

__all__: list[str] = []

_SETTLED: Final = 5
"""Results of each camera before and after. Chosen, not measured."""

_POLL_S: Final = 0.05
"""Seconds between two looks into the log. Chosen, not measured."""

_WITHIN_S: Final = 120.0
"""Seconds for what a busy machine does in seconds. Chosen, not measured."""


def main() -> int:
    flags = parser("worker_killed", __doc__)
    flags.add_argument("--cameras", type=int, default=4, help="of the SDK, >= 3")
    arguments = flags.parse_args()
    report = Report("worker_killed", arguments)
    with running_server(workers=2, frame_timeout_s=60) as server:
        lines = [_killed(server, max(3, arguments.cameras)), _replaced(server, arguments.cameras)]
    for what, _, _, _, twice, visits, _, _ in lines:
        report.aim(f"{what}: frames answered twice", str(twice), met=twice == 0)
        report.aim(f"{what}: one visit a camera", str(visits), met=visits == 1)
    reopened = lines[0][3]
    report.aim("a worker is killed: streams of others that broke", str(reopened), met=reopened == 0)
    columns = [
        *("", "cameras", "streams that broke", "of others", "twice", "visits a camera"),
        *("longest gap, s", "of others, s"),
    ]
    report.table("two workers under cameras of the SDK", columns, lines)
    report.values["workers"] = [dict(zip(columns, line, strict=True)) for line in lines]
    return report.finish()


_Line = tuple[str, int, int, int, int, float, float, float]


def _killed(server: RunningServer, count: int) -> _Line:
    with ExitStack() as opened:
        cameras = _cameras(server, opened, count, "killed")
        on = {one["camera_id"]: one["worker"] for one in _entries(server, "stream_opened")}
        gone = on[cameras[0].camera]
        hit = [camera for camera in cameras if on[camera.camera] == gone]
        others = [camera for camera in cameras if on[camera.camera] != gone]
        for camera in cameras:
            camera.longest_gap_s = 0.0
        os.kill(gone, signal.SIGKILL)
        for camera in hit:
            camera.until(camera.reopened.__len__)
        for camera in cameras:
            camera.until_more(_SETTLED)
        _until(lambda: len(_entries(server, "worker_serves")) == 3)
    return _line("a worker is killed", cameras, others)


def _replaced(server: RunningServer, count: int) -> _Line:
    with ExitStack() as opened:
        cameras = _cameras(server, opened, count, "replaced")
        os.kill(server.pid, signal.SIGUSR2)
        _until(lambda: bool(_entries(server, "workers_replaced")))
        for camera in cameras:
            camera.until_more(_SETTLED)
    return _line("all are replaced", cameras, [])


def _line(what: str, cameras: list[SdkCamera], others: list[SdkCamera]) -> _Line:
    return (
        what,
        len(cameras),
        sum(len(camera.reopened) > 0 for camera in cameras),
        sum(len(camera.reopened) for camera in others),
        sum(camera.answered_twice for camera in cameras),
        sum(len(camera.visits) for camera in cameras) / len(cameras),
        max(camera.longest_gap_s for camera in cameras),
        max((camera.longest_gap_s for camera in others), default=0.0),
    )


def _cameras(server: RunningServer, opened: ExitStack, count: int, name: str) -> list[SdkCamera]:
    picture = portrait_of(made_pair()[0])
    client = opened.enter_context(facewire.Client(server.address))
    gallery = client.create_gallery(name).gallery_id
    client.enroll("ada", [picture], gallery=gallery)
    cameras = [SdkCamera(client, f"{name}-{n}", gallery, picture) for n in range(count)]
    for camera in cameras:
        opened.enter_context(camera)
    for camera in cameras:
        camera.until_more(_SETTLED)
    return cameras


def _entries(server: RunningServer, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def _until(holds: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + _WITHIN_S
    while not holds():
        if time.monotonic() > ends_s:
            raise TimeoutError("the workers did not do what was waited for")
        time.sleep(_POLL_S)


if __name__ == "__main__":
    run(main)
