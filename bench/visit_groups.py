"""Names of strangers by group of people, and the extra similarity for late names on people whom it was not chosen on.

The people are split in two halves by their names. On each half the least extra is chosen with which two minutes in view name strangers no more often
than one look; the other half shows what it is worth there. Then, with the shipped rule: visits of strangers of each group who get a name, before
galleries of all people. Visits are those of `bench.visit_evidence`; intervals are bootstrapped over people.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final
from unittest.mock import patch

import numpy as np

from bench.line_embeddings import default_policy
from bench.report import Report, parser, progress, run
from bench.visit_counts import Counts, counted, mean_threshold, share, sums
from bench.visit_kinds import pictures as visits_of_pictures
from bench.visit_kinds import two_minutes
from bench.visit_looks import seen
from facewire_server.evaluation.intervals import bootstrap_share
from facewire_server.streams.verdicts import rule
from facewire_server.thresholds import ThresholdSource
from harness import pictures

__all__: list[str] = []

_RAISES: Final = (0.0, 0.02, 0.03, 0.05, 0.08)
_SIZE: Final = 300
_FIXED: Final = 0.42
"""A threshold that is too low for such a gallery, so that there are false names enough to compare."""


def main() -> int:
    flags = parser("visit_groups", __doc__)
    flags.add_argument("--draws", type=int, default=10, help="galleries drawn")
    flags.add_argument(
        "--embeddings", type=Path, help="file (.npz) that keeps the embeddings: biometric data"
    )
    arguments = flags.parse_args()
    looks = seen(arguments.embeddings)
    report = Report("visit_groups", arguments)
    by_size = default_policy()
    fixed = replace(by_size, threshold=_FIXED, threshold_source=ThresholdSource.OPERATOR)

    by_raise: dict[float, dict[str, Counts]] = {}
    for extra in progress(_RAISES, "extras", len(_RAISES)):
        with patch.object(rule, "_LATE_RAISE", extra):
            strangers = two_minutes(looks, arguments.draws).strangers(_SIZE, fixed)
            by_raise[extra] = counted(strangers, is_enrolled=False)
    halves = [{name for name in by_raise[0.0] if _half(name) == half} for half in (0, 1)]
    lines = [
        (f"{extra:g}", *(_ratio(_only(counts, half)) for half in halves))
        for extra, counts in by_raise.items()
    ]
    titles = [f"{len(half)} people" for half in halves]
    report.table(
        f"two minutes in view, {_SIZE} people, threshold {_FIXED}: strangers ÷ one look",
        ["extra", *titles],
        lines,
    )
    for half, other in (halves, halves[::-1]):
        found = [x for x, counts in by_raise.items() if _quotient(_only(counts, half)) <= 1]
        chosen = min(found, default=max(_RAISES))
        worth = _ratio(_only(by_raise[chosen], other))
        report.note(f"chosen on {len(half)} people: {chosen:g}; on the other {len(other)}: {worth}")
    report.values["late"] = lines

    groups = _groups()
    for policy in (by_size, fixed):
        visits = visits_of_pictures(looks, arguments.draws).strangers(_SIZE, policy)
        strangers_by_name = counted(visits, is_enrolled=False)
        threshold = mean_threshold(strangers_by_name)
        cells = []
        for group in sorted({*groups.values(), "others"}):
            names = {n for n in strangers_by_name if groups.get(n, "others") == group}
            if names:
                cells.append((group, *_cells(_only(strangers_by_name, names))))
        report.table(
            f"{_SIZE} people, threshold {threshold:.3f}: visits of strangers with a name, %",
            ["group", "strangers", "visits", "one look", "verdict", "÷ one look"],
            cells,
        )
        report.values[f"groups at {threshold:.3f}"] = cells
    return report.finish()


def _half(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0] % 2


def _groups() -> Mapping[str, str]:
    """Returns the group of each person who is in one; of the others it is not known."""
    folders = sorted(pictures.folder("groups").glob("*/*"))
    return {each.name.removeprefix("lfw_"): each.parent.name for each in folders if each.is_dir()}


def _only(counts: Mapping[str, Counts], names: Collection[str]) -> dict[str, Counts]:
    return {name: counts[name] for name in sorted(names) if name in counts}


def _quotient(counts: dict[str, Counts]) -> float:
    verdicts, one = sums(counts, lambda c: (c.by_verdict, c.by_one_look))
    return float(verdicts.sum() / one.sum()) if one.sum() else 0.0


def _ratio(counts: dict[str, Counts]) -> str:
    verdicts, one = sums(counts, lambda c: (c.by_verdict, c.by_one_look))
    if not one.sum():
        return "-"
    return f"{_quotient(counts):.2f} ({bootstrap_share(verdicts, one):.2f})"


def _cells(counts: dict[str, Counts]) -> tuple[str, ...]:
    visits, one, verdicts = sums(counts, lambda c: (c.visits, c.by_one_look, c.by_verdict))
    return (
        f"{len(counts)}",
        f"{np.sum(visits):.0f}",
        share(one, visits),
        share(verdicts, visits),
        _ratio(counts),
    )


if __name__ == "__main__":
    run(main)
