"""Servers and workers that are killed (SIGKILL) at random moments of enrolling, importing, renaming, merging, splitting, deleting, purging, rewriting the file and backing up.

Two servers share a data folder, one of them with two workers, and six clients change it; the servers rewrite the file each second
in which something was deleted. In each round a worker, a server, both, `gallery backup` or `gallery compact` are killed, started
again, and compared with what they acknowledged. Several folders are used side by side. Most servers run without their models, which
start in a third of the processor time; now and then one has them, and a client enrolls pictures. Each round prints a line to
standard error. A run that `--minutes` has ended counts the rounds that it has done: runs with other seeds add to them.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from bench.report import Report, parser, run
from harness.gallery_commands import Beside
from harness.kills import KilledServers
from harness.promises import FAULTS, Promises

__all__: list[str] = []

_ROUNDS: Final = 8
"""Rounds of a folder of which one has a compaction and one a backup. Chosen, not measured: they take three times as long as others."""

_BESIDE: Final = {2: Beside.COMPACT, 6: Beside.BACKUP}
"""Which of these rounds."""

_MODELS_EVERY: Final = 100
"""Rounds of which one has a server with its models. Chosen, not measured: it takes ten times as long as another one."""


def main() -> int:
    flags = parser("kills", __doc__)
    flags.add_argument("--rounds", type=int, default=200, help="with a kill each")
    flags.add_argument(
        "--folders",
        type=int,
        default=os.cpu_count() or 1,
        help="data folders that are used at once",
    )
    flags.add_argument("--seed", type=int, default=1)
    flags.add_argument(
        "--minutes", type=float, default=float("inf"), help="after which no round begins"
    )
    flags.add_argument(
        "--early-answers",
        action="store_true",
        help="the servers have a fault that must be found: they acknowledge before they commit",
    )
    arguments = flags.parse_args()
    report = Report("kills", arguments)
    module = "harness.early_answers" if arguments.early_answers else "facewire_server"
    folders = range(arguments.folders)
    ends_at_s = time.monotonic() + 60.0 * arguments.minutes
    with ThreadPoolExecutor(len(folders)) as threads:
        results = list(
            threads.map(
                lambda folder: _killed(
                    range(folder, arguments.rounds, len(folders)),
                    arguments.seed + folder,
                    module,
                    is_over=lambda: time.monotonic() > ends_at_s,
                ),
                folders,
            )
        )
    counts: Counter[str] = Counter(dict.fromkeys(FAULTS, 0))
    for one in results:
        counts.update(one.counts)
    done = [(what, count) for what, count in counts.items() if what not in FAULTS]
    report.table("what was done", ["", "count"], done)
    for example in [text for one in results for text in one.examples][:20]:
        report.note(example)
    report.aim(
        f"rounds: {arguments.rounds}",
        str(counts["rounds"]),
        met=counts["rounds"] == arguments.rounds,
    )
    for kind in FAULTS:
        report.aim(f"{kind}: 0", str(counts[kind]), met=counts[kind] == 0)
    report.values["counts"] = dict(counts)
    return report.finish()


def _killed(rounds: range, seed: int, module: str, *, is_over: Callable[[], bool]) -> Promises:
    with tempfile.TemporaryDirectory(prefix="facewire-") as scratch:
        with KilledServers(Path(scratch), seed, module=module) as servers:
            for number in rounds:
                if is_over():
                    break
                began_s = time.monotonic()
                servers.round(
                    has_models=number % _MODELS_EVERY == _MODELS_EVERY - 1,
                    beside=_BESIDE.get(number // rounds.step % _ROUNDS),
                )
                faults = sum(servers.promises.counts[kind] for kind in FAULTS)
                took_s = time.monotonic() - began_s
                print(f"round {number + 1}: {took_s:.1f} s, {faults} faults", file=sys.stderr)
            servers.finish()
        return servers.promises


if __name__ == "__main__":
    run(main)
