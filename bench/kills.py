"""Servers that are killed (SIGKILL) at random moments of enrolling, importing, renaming, deleting and backing up: what they acknowledged and lost.

Two servers share a data folder, and six clients change it; in each round one server, both or the backup command are killed, started
again, and compared with what they acknowledged. Several folders are used side by side. Most servers run without their models, which
start in a third of the processor time; now and then one has them, and a client enrolls pictures.
"""

import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from bench.report import Report, parser, run
from harness.kills import FAULTS, KilledServers

__all__: list[str] = []

_BACKUP_EVERY: Final = 5
"""Rounds of which one has a backup. Chosen, not measured: it takes three times as long as another one."""

_WHOLE_EVERY: Final = 50
"""Rounds of which one has a server with its models. Chosen, not measured: it takes ten times as long as another one."""


def main() -> int:
    flags = parser("kills", __doc__)
    flags.add_argument("--rounds", type=int, default=200, help="with a kill each")
    flags.add_argument("--folders", type=int, default=2, help="data folders that are used at once")
    flags.add_argument("--seed", type=int, default=1)
    flags.add_argument(
        "--early-answers",
        action="store_true",
        help="the servers have a fault that must be found: they acknowledge before they commit",
    )
    arguments = flags.parse_args()
    report = Report("kills", arguments)
    module = "harness.early_answers" if arguments.early_answers else "facewire_server"
    folders = range(arguments.folders)
    with ThreadPoolExecutor(len(folders)) as threads:
        results = list(
            threads.map(
                lambda folder: _killed(
                    range(folder, arguments.rounds, len(folders)), arguments.seed + folder, module
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
    for kind in FAULTS:
        report.aim(f"{kind}: 0", str(counts[kind]), met=counts[kind] == 0)
    report.values["counts"] = dict(counts)
    return report.finish()


def _killed(rounds: range, seed: int, module: str) -> KilledServers:
    with tempfile.TemporaryDirectory(prefix="facewire-") as scratch:
        with KilledServers(Path(scratch), seed, module=module) as servers:
            for number in rounds:
                servers.round(
                    is_whole=number % _WHOLE_EVERY == _WHOLE_EVERY - 1,
                    has_backup=number % _BACKUP_EVERY == _BACKUP_EVERY - 1,
                )
            servers.finish()
        return servers


if __name__ == "__main__":
    run(main)
