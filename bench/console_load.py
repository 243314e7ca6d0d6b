"""What a console with many browsers costs the cameras that speak gRPC.

Cameras stream as fast as they are served. In turns that follow each other: alone; beside webcams that speak gRPC, too; and beside the
same number of webcams that come through the console, with pages that follow events. The second is what as many cameras more cost in any
case; the third divided by the second is the cost of the console. Clients and servers share the processors of this machine.
"""

import contextlib
import time
from typing import Final, NamedTuple

import cv2
import numpy as np
import psutil
from skimage import data

from bench.intervals import median_of
from bench.report import Report, parser, progress, run
from harness.console_load import ConsoleLoad
from harness.console_running import RunningConsole, running_console
from harness.load import Load
from harness.running import RunningServer, running_server

__all__: list[str] = []

_WARM_UP_S: Final = 2.0
_KINDS: Final = ("alone", "webcams by gRPC", "webcams and pages by the console")

AIM: Final = 0.8
"""Least share of a camera's frames that is left if webcams come through the console instead of by gRPC. Chosen, not measured."""


class _Turn(NamedTuple):
    frames_per_s: float
    p99_ms: float
    webcams_per_s: float
    console_ms: float
    """Processor time of the console for each second."""


def main() -> int:
    flags = parser("console_load", __doc__)
    flags.add_argument("--pairs", type=int, default=10, help="of turns, >= 6")
    flags.add_argument("--seconds", type=float, default=5.0, help="of each turn")
    flags.add_argument("--cameras", type=int, default=4)
    flags.add_argument("--webcams", type=int, default=10)
    flags.add_argument("--pages", type=int, default=20)
    flags.add_argument("--fps", type=float, default=5.0, help="of each webcam")
    arguments = flags.parse_args()
    picture = cv2.imencode(".jpg", data.astronaut()[:, :, ::-1])[1].tobytes()
    report = Report("console_load", arguments)
    turns: dict[str, list[_Turn]] = {kind: [] for kind in _KINDS}
    with running_server() as server, running_console(server.address) as console:

        def turn(kind: str, seconds: float) -> _Turn:
            return _turn(kind, server, console, picture, arguments, seconds)

        for kind in _KINDS:
            turn(kind, _WARM_UP_S)
        pairs = max(6, arguments.pairs)
        for pair in progress(range(pairs), "pairs", pairs):
            for kind in _KINDS[:: -1 if pair % 2 else 1]:
                turns[kind].append(turn(kind, arguments.seconds))
    _show(report, turns, arguments)
    return report.finish()


def _turn(
    kind: str,
    server: RunningServer,
    console: RunningConsole,
    picture: bytes,
    arguments: object,
    seconds: float,
) -> _Turn:
    options = vars(arguments)
    process = psutil.Process(console.pid)
    with contextlib.ExitStack() as running:
        browsers = running.enter_context(ConsoleLoad(console))
        load = running.enter_context(Load(server))
        cameras = [load.stream(picture) for _ in range(options["cameras"])]
        webcams = []
        if kind == _KINDS[1]:
            webcams = [load.stream(picture, fps=options["fps"]) for _ in range(options["webcams"])]
        elif kind == _KINDS[2]:
            for number in range(options["webcams"]):
                browsers.webcam(f"webcam-{number}", picture, options["fps"])
            for _ in range(options["pages"]):
                browsers.watcher()
        time.sleep(_WARM_UP_S)
        counts = [len(camera.answers) for camera in cameras]
        seen = browsers.answers + sum(len(webcam.answers) for webcam in webcams)
        before, started_s = process.cpu_times(), time.monotonic()
        time.sleep(seconds)
        took_s, after = time.monotonic() - started_s, process.cpu_times()
        answers = [camera.answers[count:] for camera, count in zip(cameras, counts, strict=True)]
        webcam_answers = browsers.answers + sum(len(webcam.answers) for webcam in webcams) - seen
    if browsers.faults:
        raise RuntimeError(f"a browser was hurt: {browsers.faults[0]}")
    ages = [answer.age_s for each in answers for answer in each]
    processor_s = after.user + after.system - before.user - before.system
    return _Turn(
        len(ages) / took_s / len(cameras),
        float(np.quantile(ages, 0.99)) * 1e3,
        webcam_answers / took_s,
        processor_s / took_s * 1e3,
    )


def _show(report: Report, turns: dict[str, list[_Turn]], arguments: object) -> None:
    options = vars(arguments)
    report.table(
        f"{options['cameras']} cameras beside {options['webcams']} webcams and {options['pages']} pages; medians",
        [
            *("", "frames/s of a camera", "p99 ms of their frames"),
            *("frames/s of all webcams", "console's processor ms a second"),
        ],
        [
            (kind, *(float(np.median([turn[column] for turn in found])) for column in range(4)))
            for kind, found in turns.items()
        ],
    )
    alone, by_grpc, by_console = ([turn.frames_per_s for turn in turns[kind]] for kind in _KINDS)
    in_any_case, _ = median_of(
        [with_ / without for with_, without in zip(by_grpc, alone, strict=True)]
    )
    both, both_sure = median_of(
        [with_ / without for with_, without in zip(by_console, alone, strict=True)]
    )
    ratio, sure = median_of(
        [with_ / without for with_, without in zip(by_console, by_grpc, strict=True)]
    )
    report.note(
        f"of a camera's frames are left: {in_any_case:.3f} beside webcams by gRPC, {both:.3f} ({both_sure:.3f}) beside "
        "webcams and pages by the console\n"
    )
    report.values |= {
        "ratio": ratio,
        "ratio_interval": sure,
        "left": both,
        "left_by_grpc": in_any_case,
    }
    report.aim(
        f"frames of a camera, console ÷ gRPC ≥ {AIM:g}",
        f"{ratio:.3f} ({sure:.3f})",
        met=ratio >= AIM,
    )


if __name__ == "__main__":
    run(main)
