"""How many cameras a server takes: ages, skipped frames and fairness by their number, beside another version.

The knee is the largest number of cameras up to which at most 2 % of the frames are skipped and p99 of the ages is at most 400 ms. Beside it, the
processor time of an answered frame: below the knee that of every frame, above it that of those that were answered.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from bench.drawing import draw_lines
from bench.load_tables import AIM_P99_S
from bench.loaded import Kinds, Loaded, enroll, loaded, settings_of
from bench.report import Report, parser, progress, run
from bench.steady_clips import camera_clips
from harness import REPOSITORY
from harness.running import running_checkout

__all__: list[str] = []

_CAMERAS: Final = (4, 8, 12, 14, 16, 18, 20, 24, 32)
_MOST_SKIPPED: Final = 0.02
"""Share of frames skipped up to which a server keeps up. Chosen, not measured: a moment's wait of a busy machine is no overload."""

_OPEN_FILES: Final = 4096


class _Point(NamedTuple):
    """What a number of cameras got.

    Attributes:
        p50_s, p99_s: ages of their answers.
    """

    cameras: int
    answers_per_s: float
    skipped_share: float
    p50_s: float
    p99_s: float
    jain: float
    processors: float
    frame_ms: float


def main() -> int:
    flags = parser("load_knee", __doc__)
    flags.add_argument("--cameras", type=int, nargs="+", default=_CAMERAS, help="ascending")
    flags.add_argument("--fps", type=float, default=5.0, help="of each camera")
    flags.add_argument("--height", type=int, default=720, help="of the frames, pixels")
    flags.add_argument("--seconds", type=float, default=12.0, help="of each number of cameras")
    flags.add_argument("--checkout", type=Path, help="another version, measured after this one")
    flags.add_argument("--draw", type=Path, metavar="FILE.svg", help="draw ages over cameras")
    flags.add_argument("--server-flags", default="", help="of the server, such as '--threads=1'")
    arguments = flags.parse_args()
    report, clips = Report("load_knee", arguments), camera_clips(arguments.height)
    versions = {"this version": (REPOSITORY, settings_of(arguments.server_flags))}
    if arguments.checkout:
        checkout = arguments.checkout.resolve()
        own = {"models": checkout / "models"} if (checkout / "models").is_dir() else {}
        versions["other version"] = (checkout, own)
    found: dict[str, list[_Point]] = {}
    for name, (checkout, settings) in versions.items():
        with ExitStack() as stack:
            server = stack.enter_context(
                running_checkout(checkout, open_files=_OPEN_FILES, **settings)
            )
            enroll(server, clips)
            points = found[name] = []
            for count in progress(arguments.cameras, name, len(arguments.cameras)):
                points.append(
                    _point(loaded(server, clips, Kinds(count), arguments.fps, arguments.seconds))
                )
    for name, points in found.items():
        _show(report, f"{name}, {arguments.fps:g} frames/s a camera", name, points)
    if arguments.draw:
        _draw(arguments.draw, found)
    return report.finish()


def _point(found: Loaded) -> _Point:
    answers = len(found.answers())
    p50_s, _, p99_s = found.percentiles()
    return _Point(
        len(found.cameras),
        answers / found.seconds,
        found.skipped_share,
        p50_s,
        p99_s,
        found.jain,
        found.server_s / found.seconds,
        found.server_s / max(1, answers) * 1e3,
    )


def _show(report: Report, title: str, name: str, points: Sequence[_Point]) -> None:
    columns = [
        "cameras",
        "answers/s",
        "skipped",
        "p50 s",
        "p99 s",
        "Jain",
        "processors",
        "ms a frame",
    ]
    lines = [
        (f"{one.cameras}", one.answers_per_s, f"{one.skipped_share:.1%}", *one[3:])
        for one in points
    ]
    report.table(title, columns, lines)
    knee = 0
    for one in points:
        if one.skipped_share > _MOST_SKIPPED or one.p99_s > AIM_P99_S:
            break
        knee = one.cameras
    report.note(f"knee of {name}: {knee} cameras\n")
    report.values[name] = {"knee": knee, "points": [one._asdict() for one in points]}


def _draw(path: Path, found: dict[str, list[_Point]]) -> None:
    here, *others = found.values()
    lines = {"p99": [one.p99_s * 1e3 for one in here], "p50": [one.p50_s * 1e3 for one in here]}
    for points in others:
        lines["p99 of the other"] = [one.p99_s * 1e3 for one in points]
    cameras = [one.cameras for one in here]
    title = "Ages of answers by number of cameras"
    draw_lines(path, title, cameras, lines, x_label="cameras", y_label="ms")


if __name__ == "__main__":
    run(main)
