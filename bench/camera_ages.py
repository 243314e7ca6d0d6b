"""Ages of an RTSP camera's pictures when a program gets them: steady, after a stall, and after the camera was killed.

A real RTSP server draws a clock into each picture, so the age is what the reader's clock says later. The readers, one after
the other: OpenCV with 1, 2 and 16 decoding threads of FFmpeg's (its default is one for each processor), as `facewire.video` used
it before; and `facewire.video.Camera` as it is. A stall of the camera stops its process; one of the way holds what it sends. To
compare with an older version, run this file, with `harness/`, on a checkout of it.
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np

from bench.report import Report, parser, run
from facewire.video import Camera
from harness.clock_watcher import ClockWatcher, Seen, Timed, pictures_of
from harness.relay import relay_to
from harness.rtsp_server import RtspCamera, Scene, missing, rtsp_camera
from harness.running import ServerFailed

__all__: list[str] = []

_OPENCV_MS: Final = 5_000
"""Timeout of OpenCV's reads and openings here, as `facewire.video` set it for reads."""

_THREADS: Final = (1, 2, 16)
AIM_FRAMES: Final = 2
"""Most median age of a steady camera's pictures, in frames, and twice as many as there are B frames in a row, which wait in the
encoder and the decoder. Chosen: FFmpeg hands on a picture when the next one begins."""

Reader = Callable[[str, threading.Event], Iterator[Timed]]
"""Reads an address until the event is set."""


def _opencv(address: str, threads: int, ended: threading.Event) -> Iterator[Timed]:
    """Reads as `facewire.video` did: opened again, after half a second, when a read fails."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    options = [
        *(
            cv2.CAP_PROP_N_THREADS,
            threads,
        ),  # `threads` of OPENCV_FFMPEG_CAPTURE_OPTIONS is overridden by its default
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPENCV_MS),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _OPENCV_MS),
    ]
    while not ended.is_set():
        capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, options)
        while not ended.is_set():
            there, picture = capture.read()
            if not there:
                break
            yield np.asarray(picture, np.uint8), 0
        capture.release()
        ended.wait(0.5)


def _facewire(address: str, ended: threading.Event) -> Iterator[Timed]:
    with Camera(address) as camera:
        for timed in pictures_of(camera):
            if ended.is_set():
                return
            yield timed


class _Measured(NamedTuple):
    """What one reader did.

    Attributes:
        ages: of a steady camera, seconds.
        oldest: after each stall, the age of the oldest picture that came, seconds, by what stalled and for how long.
        stale_count: pictures that came after each stall and were older than a steady camera's oldest by a second.
        back_s: seconds from the camera's return until its first picture.
        oldest_after_kill_s: age of the oldest picture that came after the kill.
        resized: whether the pictures after the return have its size.
    """

    ages: list[float]
    oldest: dict[str, float]
    stale_count: dict[str, int]
    back_s: float
    oldest_after_kill_s: float
    resized: bool


def _measure(read: Reader, scene: Scene, seconds: float, stalls: list[float]) -> _Measured:
    ended = threading.Event()
    with rtsp_camera(scene) as camera, relay_to(camera.port) as relay:
        address = camera.address.replace(f":{camera.port}/", f":{relay.port}/")
        watcher = ClockWatcher(read(address, ended))
        try:
            watcher.until(bool)
            watcher.during(2.0)  # the first pictures have waited while the reader began
            ages = [one.age_s for one in watcher.during(seconds)]
            oldest, stale = {}, {}
            for name, stall, go_on in (
                ("camera", camera.stall, camera.go_on),
                ("way", relay.hold, relay.go_on),
            ):
                for stall_s in stalls:
                    came = _stalled(watcher, stall, go_on, stall_s)
                    key = f"{name} {stall_s:g} s"
                    oldest[key] = max(one.age_s for one in came)
                    stale[key] = sum(one.age_s > max(ages) + 1 for one in came)
            return _Measured(ages, oldest, stale, *_killed(watcher, camera))
        finally:
            ended.set()


def _stalled(
    watcher: ClockWatcher, stall: Callable[[], None], go_on: Callable[[], None], stall_s: float
) -> list[Seen]:
    """Stalls something for a time, and returns what came since."""
    since = len(watcher.seen)
    stall()
    watcher.during(stall_s)
    go_on()
    return _recovered(watcher, since)


def _recovered(watcher: ClockWatcher, since: int) -> list[Seen]:
    """Returns what came since, until pictures are new again, and for 2 s after that."""
    watcher.until_newer_than(time.monotonic(), since)
    watcher.during(2.0)
    return watcher.seen[since:]


def _killed(watcher: ClockWatcher, camera: RtspCamera) -> tuple[float, float, bool]:
    since = len(watcher.seen)
    camera.kill()
    watcher.during(2.0)
    width, height = camera.scene.width // 2, camera.scene.height // 2
    camera.start(width=width, height=height)
    back_s = time.monotonic()
    came = watcher.until_newer_than(back_s, since)
    last = came[-1]
    return (last.at_s - back_s, max(one.age_s for one in came), last.size == (width, height))


def main() -> int:
    flags = parser("camera_ages", __doc__)
    flags.add_argument("--seconds", type=float, default=10.0, help="of the steady camera")
    flags.add_argument("--stalls", type=float, nargs="*", default=[5.0, 10.0], help="seconds")
    flags.add_argument("--fps", type=int, default=5)
    flags.add_argument("--b-frames", type=int, default=0)
    arguments = flags.parse_args()
    if why := missing():
        raise ServerFailed(why)
    scene = Scene(fps=arguments.fps, gop=2 * arguments.fps, b_frames=arguments.b_frames)
    readers: dict[str, Reader] = {
        **{f"OpenCV, {threads} threads": _opencv_with(threads) for threads in _THREADS},
        "facewire.video.Camera": _facewire,
    }
    report, rows, stalled = Report("camera_ages", arguments), [], []
    for name, read in readers.items():
        measured = _measure(read, scene, arguments.seconds, arguments.stalls)
        report.values[name] = {**measured._asdict(), "ages": sorted(measured.ages)}
        middle = statistics.median(measured.ages)
        rows.append(
            (
                *(name, middle, max(measured.ages), middle * scene.fps, measured.back_s),
                *(measured.oldest_after_kill_s, "yes" if measured.resized else "NO"),
            )
        )
        for key, oldest_s in measured.oldest.items():
            stalled.append((name, key, oldest_s, measured.stale_count[key]))
    columns = ["reader", "median s", "most s", "in frames", "back s", "oldest then s", "new size"]
    report.table(f"ages at {scene.fps} frames a second; after a kill", columns, rows)
    report.table("after a stall", ["reader", "stalled", "oldest s", "stale pictures"], stalled)
    own_frames, aim_frames = float(rows[-1][3]), AIM_FRAMES + 2 * scene.b_frames
    report.aim(
        f"median age ≤ {aim_frames} frames", f"{own_frames:.1f}", met=own_frames <= aim_frames
    )
    return report.finish()


def _opencv_with(threads: int) -> Reader:
    return lambda address, ended: _opencv(address, threads, ended)


if __name__ == "__main__":
    run(main)
