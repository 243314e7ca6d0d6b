"""What cameras get of a loaded server: answered and skipped frames, ages of answers, fairness, processor time, memory.

Each camera streams a clip at its pace over its own connection, with NEWEST_WINS. An age is the time from when a frame is captured, whether or not
the connection takes it at once, until its answer is read. The frames that were answered are then done once more by the bare line, without gRPC and
streams: the server's processor time is compared with its. With `--trend` a trend of latency or memory is a missed aim: give it ten minutes or more.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.bare_line import Shown, bare_frame_s
from bench.drawing import draw_lines
from bench.load_tables import show_cameras, show_costs, show_others, show_windows
from bench.loaded import Kinds, Loaded, enroll, loaded, pictures_of, settings_of, within
from bench.report import Report, parser, run
from bench.steady_clips import Clip, camera_clips
from harness.running import running_server

__all__: list[str] = []

_BARE_S: Final = 20.0
"""Seconds of the load whose frames the bare line does. Chosen, not measured: some 1,500 frames on two processors."""

_OVERLOADED: Final = 0.05
"""Share of frames skipped from which the server counts as overloaded."""

AIM_USEFUL: Final = 0.85
"""Least processor time of a frame in the bare line, as a share of that in an overloaded server."""


def main() -> int:
    flags = parser("load", __doc__)
    flags.add_argument("--cameras", type=int, default=16)
    flags.add_argument("--fps", type=float, default=5.0, help="of each camera")
    flags.add_argument("--height", type=int, default=720, help="of the frames, pixels")
    flags.add_argument("--seconds", type=float, default=60.0)
    for kind in Kinds._fields[1:]:
        flags.add_argument(f"--{kind.replace('_', '-')}", type=int, default=0, help="beside them")
    flags.add_argument(
        "--no-bare-line",
        action="store_true",
        help="do not measure it; nor is it beside other kinds",
    )
    flags.add_argument("--trend", action="store_true", help="a trend over five windows is a miss")
    flags.add_argument("--draw", type=Path, metavar="FILE.svg", help="draw ages over time")
    flags.add_argument("--server-flags", default="", help="of the server, such as '--threads=1'")
    arguments = flags.parse_args()
    kinds = Kinds(*(getattr(arguments, kind) for kind in Kinds._fields))
    report, clips = Report("load", arguments), camera_clips(arguments.height)
    with tempfile.TemporaryDirectory(prefix="facewire-") as scratch:
        data = Path(scratch) / "data"
        with running_server(data=data, **settings_of(arguments.server_flags)) as server:
            enroll(server, clips)
            found = loaded(server, clips, kinds, arguments.fps, arguments.seconds)
        show_cameras(report, found, f"{kinds.cameras} cameras, {arguments.fps:g} frames/s")
        show_others(report, found)
        show_costs(report, found)
        show_windows(report, found, has_aims=arguments.trend)
        if not (arguments.no_bare_line or any(kinds[1:])):
            _bare(report, found, clips, arguments.fps, data)
    if arguments.draw:
        _draw(arguments.draw, found)
    return report.finish()


def _bare(report: Report, found: Loaded, clips: Sequence[Clip], fps: float, data: Path) -> None:
    ends_s = min(found.began_s + _BARE_S, found.samples[-1].at_s)
    until = min(found.samples, key=lambda one: abs(one.at_s - ends_s))
    server_s = until.server_s - found.first.server_s
    count, cameras = 0, []
    for index, one in enumerate(found.cameras):
        frames = [
            [(answer.sequence - 1, answer.at_s - answer.age_s) for answer in within(one, *bounds)]
            for bounds in ((0.0, found.began_s), (found.began_s, until.at_s))
        ]
        cameras.append(Shown(pictures_of(clips, index, fps), *frames))
        count += len(frames[1])
    bare_s, frame_s = asyncio.run(bare_frame_s(cameras, data)), server_s / max(1, count)
    share = bare_s / frame_s
    report.table(
        "processor time of a frame, ms",
        ["server", "bare line", "bare ÷ server"],
        [(frame_s * 1e3, bare_s * 1e3, f"{share:.3f}")],
    )
    report.values |= {"frame_ms": frame_s * 1e3, "bare_ms": bare_s * 1e3, "useful_share": share}
    if found.skipped_share > _OVERLOADED:
        report.aim(
            f"overloaded: useful work ≥ {AIM_USEFUL:g} of the bare line",
            f"{share:.3f}",
            met=share >= AIM_USEFUL,
        )


def _draw(path: Path, found: Loaded) -> None:
    lines: dict[str, list[float]] = {"p99": [], "p50": []}
    seconds = []
    for second in range(int(found.seconds)):
        p50, _, p99 = found.percentiles(found.began_s + second, found.began_s + second + 1)
        if p50 == p50:  # a second without answers has no age
            seconds.append(second)
            lines["p50"].append(p50 * 1e3)
            lines["p99"].append(p99 * 1e3)
    draw_lines(
        path,
        f"Ages of answers: {len(found.cameras)} cameras",
        seconds,
        lines,
        x_label="s",
        y_label="ms",
    )


if __name__ == "__main__":
    run(main)
