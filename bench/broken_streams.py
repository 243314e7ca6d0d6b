"""A camera whose connection is cut, or whose server is killed, in the middle of a visit: frames answered twice, visits, and the time until it goes on.

The times are seconds from the break to the first result after it; a camera waits before it connects again, and this one does not. A killed
server starts again on the same data, on a new port.
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from bench.intervals import median_of
from bench.report import Report, parser, progress, run
from harness.broken_streams import NAME, Broken, through_cut_connection, through_killed_server

__all__: list[str] = []

_CUT: Final = "the connection is cut"
_KILLED: Final = "the server is killed"


def main() -> int:
    flags = parser("broken_streams", __doc__)
    flags.add_argument("--times", type=int, default=8, help="that each breaks, >= 6")
    arguments = flags.parse_args()
    report = Report("broken_streams", arguments)
    times = max(6, arguments.times)
    found: dict[str, list[Broken]] = {_CUT: [], _KILLED: []}
    for _ in progress(range(times), "breaks", times):
        found[_CUT].append(through_cut_connection())
        with tempfile.TemporaryDirectory(prefix="facewire-") as scratch:
            found[_KILLED].append(through_killed_server(Path(scratch) / "data"))
    lines = []
    for what, all_of_it in found.items():
        back, sure = median_of([one.back_s for one in all_of_it])
        twice = sum(_answered_twice(one) for one in all_of_it)
        visits = Counter(len({event.visit_id for event in one.events}) for one in all_of_it)
        kept = sum(one.after[-1].faces[0].decision.identity_id == NAME for one in all_of_it)
        start, _ = median_of([one.server_start_s for one in all_of_it])
        lines.append(
            (what, times, twice, str(dict(visits)), kept, f"{back:.2f} ({sure:.2f})", start)
        )
        report.aim(f"{what}: frames answered twice", str(twice), met=twice == 0)
        report.aim(f"{what}: one visit each", str(dict(visits)), met=set(visits) == {1})
    columns = ["", "breaks", "twice", "visits", "named after", "back after, s", "server's start, s"]
    report.table("a stream breaks in the middle of a visit, and is resumed", columns, lines)
    report.values["breaks"] = [dict(zip(columns, line, strict=True)) for line in lines]
    return report.finish()


def _answered_twice(broken: Broken) -> int:
    sequences = [result.sequence for result in (*broken.before, *broken.after)]
    return len(sequences) - len(set(sequences))


if __name__ == "__main__":
    run(main)
