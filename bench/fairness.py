"""What a 1080p camera gets while others ask for much: its answers and their ages, alone and beside each kind of load.

The camera sends 15 frames a second with NEWEST_WINS, and is measured alone before and after each load. Beside it: callers
with photos of 48 megapixels; streams of such, of JPEGs with many scans, and of small files of 49 megapixels, at the same pace;
40 callers with 1080p pictures. Then 24 cameras that wait for each answer beside 8 that do not. To compare with an older version,
run this file and `harness/load.py` on a checkout of it.
"""

import io
import statistics
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import cv2
import numpy as np
from PIL import Image as Pillow

from bench.report import Report, parser, run
from harness.load import Load
from harness.running import RunningServer, running_server
from harness.shares import Counted

__all__: list[str] = []

_FPS: Final = 15.0
_SCANS: Final = 30
"""Of 4000 × 3000 pixels, a third of what a server refuses."""
_LEAD_S: Final = 2.0
"""Seconds that the camera streams before the load begins."""
_MB: Final = 1e6
AIM_SHARE: Final = 1 / 4
"""Least of its answers alone that a camera gets beside a load. Chosen, not measured: on two processors, with the loads' clients
on them, too."""
AIM_FLOODERS: Final = 1.5
"""Most answers that a camera gets by flooding, as a multiple of what the others get."""


def main() -> int:
    flags = parser("fairness", __doc__)
    flags.add_argument("--seconds", type=float, default=8.0, help="of each part")
    arguments = flags.parse_args()
    report, seconds = Report("fairness", arguments), arguments.seconds
    frame, photo = _scene(1920, 1080), _scene(8000, 6000)
    scans, tiny = _many_scans(_SCANS - 10), _tiny(7000)
    loads: dict[str, Callable[[Load], list[Counted]]] = {
        "4 callers, 48 Mpx": lambda load: [load.caller(photo) for _ in range(4)],
        "2 streams, 48 Mpx": lambda load: [load.stream(photo, fps=_FPS) for _ in range(2)],
        f"4 streams, {_SCANS} scans": lambda load: [load.stream(scans, fps=_FPS) for _ in range(4)],
        "4 streams, tiny files": lambda load: [load.stream(tiny, fps=_FPS) for _ in range(4)],
        "40 callers, 1080p": lambda load: [load.caller(frame) for _ in range(40)],
    }
    with running_server() as server:
        lines = []
        alone = _camera(server, frame, seconds, lambda load: [])
        for name, load in loads.items():
            beside = _camera(server, frame, seconds, load)
            again = _camera(server, frame, seconds, lambda load: [])
            lines.append(_line(report, name, alone, beside, again))
            alone = again
        report.table(
            f"a 1080p camera of {_FPS:g} frames a second, {seconds:g} s beside each load",
            [
                *("beside", "answers", "alone", "share", "age", "p95", "alone: age, s"),
                *("others' answers", "refused", "memory, MB"),
            ],
            lines,
        )
        _flooding(report, server, _scene(640, 360), seconds)
    return report.finish()


class _Seen(NamedTuple):
    """What the camera and the others got, and the server's most memory."""

    camera: Counted
    others: list[Counted]
    rss_mb: float


def _camera(
    server: RunningServer, frame: bytes, seconds: float, add: Callable[[Load], list[Counted]]
) -> _Seen:
    most = 0.0
    with Load(server) as load:
        camera = load.stream(frame, fps=_FPS)
        load.stop.wait(_LEAD_S)
        others = add(load)
        camera.answers.clear()
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            most = max(most, server.memory().rss / _MB)
            load.stop.wait(0.25)
    return _Seen(camera, others, most)


def _line(
    report: Report, name: str, before: _Seen, beside: _Seen, after: _Seen
) -> tuple[object, ...]:
    alone = (len(before.camera.answers) + len(after.camera.answers)) / 2
    share = len(beside.camera.answers) / max(1.0, alone)
    ages, ages_alone = beside.camera.ages or [float("nan")], after.camera.ages
    age, p95 = statistics.median(ages), float(np.quantile(ages, 0.95))
    answers = sum(len(one.answers) for one in beside.others)
    refused = sum(len(one.refused) for one in beside.others)
    report.values[name] = {
        "answers": len(beside.camera.answers),
        "answers_alone": alone,
        "age_s": round(age, 3),
        "age_p95_s": round(p95, 3),
        "others": answers,
        "refused": refused,
        "rss_mb": round(beside.rss_mb),
    }
    report.aim(
        f"beside {name}: ≥ {AIM_SHARE:.0%} of the answers", f"{share:.0%}", met=share >= AIM_SHARE
    )
    return (
        *(name, len(beside.camera.answers), alone, f"{share:.0%}", age, p95),
        statistics.median(ages_alone or [float("nan")]),
        *(answers, refused, beside.rss_mb),
    )


def _flooding(report: Report, server: RunningServer, frame: bytes, seconds: float) -> None:
    with Load(server) as load:
        normal = [load.stream(frame, in_flight=1) for _ in range(24)]
        flooding = [load.stream(frame, in_flight=0) for _ in range(8)]
        load.stop.wait(2 * seconds)
    mean, by_flooding = (
        statistics.mean(len(one.answers) for one in group) for group in (normal, flooding)
    )
    least = min(len(one.answers) for one in normal)
    report.table(
        f"24 cameras that wait for answers, and 8 that do not, {2 * seconds:g} s",
        ["cameras", "answers each"],
        [("wait", mean), ("wait, least", least), ("flood", by_flooding)],
    )
    ratio = by_flooding / max(mean, 0.01)
    report.values["flooding"] = {"normal": mean, "least": least, "flooding": by_flooding}
    report.aim(f"flooding gets ≤ {AIM_FLOODERS:g} ×", f"{ratio:.2f} ×", met=ratio <= AIM_FLOODERS)


def _scene(width_px: int, height_px: int) -> bytes:
    """A JPEG of smooth noise with some detail, as large as a picture of a room."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (27, 48, 3), np.uint8)
    scene = cv2.resize(small, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _many_scans(count: int) -> bytes:
    """A progressive JPEG of 4000 × 3000 pixels whose last scan is repeated: small, and slow to decode."""
    file = io.BytesIO()
    Pillow.new("L", (4000, 3000), 128).save(file, "JPEG", progressive=True)
    body = file.getvalue().removesuffix(b"\xff\xd9")
    return body + body[body.rindex(b"\xff\xda") :] * count + b"\xff\xd9"


def _tiny(side_px: int) -> bytes:
    """A square PNG of one bit a pixel, all black: 49 megapixels in 6 kB for 7,000 pixels."""
    file = io.BytesIO()
    Pillow.new("1", (side_px, side_px)).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    run(main)
