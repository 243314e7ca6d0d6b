"""Start of the server: seconds until it takes calls, its memory, and that TensorFlow is not loaded."""

import statistics
from typing import Final

from bench.report import Report, parser, progress, run
from harness.running import running_server

__all__: list[str] = []

_MB: Final = 1e6


def main() -> int:
    flags = parser("startup", __doc__)
    flags.add_argument("--starts", type=int, default=5, help="how often to start it")
    arguments = flags.parse_args()
    seconds, memory, mapped = [], [], ""
    for _ in progress(range(arguments.starts), "starts", arguments.starts):
        with running_server() as server:
            seconds.append(server.ready_after_s)
            memory.append(server.memory())
            mapped = server.maps()
    report = Report("startup", arguments)
    lines = [("ready after, s", f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}")]
    for kind in ("pss", "uss", "rss"):
        values = [getattr(one, kind) / _MB for one in memory]
        lines.append(
            (
                f"{kind.upper()} when idle, MB",
                f"{statistics.median(values):.0f}",
                f"{max(values):.0f}",
            )
        )
        report.values[f"{kind}_mb"] = round(statistics.median(values), 1)
    report.table(f"{arguments.starts} starts", ["", "median", "most"], lines)
    report.values["ready_after_s"] = round(statistics.median(seconds), 3)
    # The package and its libraries; OpenVINO's reader of SavedModels is called tensorflow, too.
    has_tensorflow = "site-packages/tensorflow/" in mapped or "libtensorflow" in mapped
    report.aim(
        "no TensorFlow in the process",
        "found" if has_tensorflow else "none",
        met=not has_tensorflow,
    )
    return report.finish()


if __name__ == "__main__":
    run(main)
