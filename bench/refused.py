"""Which faces a quality gate refuses: their faults, and good pictures refused, by group of people."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.faces_seen import Look, Seen
from bench.report import Report
from facewire_server.evaluation.intervals import Interval, wilson
from facewire_server.pipeline.gate import Gate
from facewire_server.types import QualityFault
from harness import pictures

__all__ = ["counted", "faults_of", "pictures_of_groups", "refusals"]

GROUPS: Final = ("asian", "black", "south_asian", "white")


def pictures_of_groups(limit: int) -> list[Look]:
    """Returns the pictures of the four groups; at most `limit`, 0 = all."""
    folder = pictures.folder("groups")
    rows = pictures.evenly(pictures.rows(folder / "images.csv"), limit)
    looks = [
        Look(folder / row["path"], row["identity"], row["group"], "clean")
        for row in rows
        if row["group"] in GROUPS
    ]
    return [look for look in looks if look.path.is_file()]


def faults_of(
    seen: Seen, gate: Gate, rows: NDArray[np.intp], *, is_template: bool
) -> list[tuple[QualityFault, ...]]:
    """Returns the faults that a gate finds in each of these faces, as in a template's or in a probe's."""
    embeddings = seen.mirrored if is_template else seen.plain
    return [
        gate.examine(
            seen.qualities[row],
            norm=float(seen.norms[row]),
            embedding=embeddings[row],
            eye_brightness=float(seen.eye_brightness[row]) if is_template else None,
        ).quality.faults
        for row in rows
    ]


def counted(faults: Sequence[tuple[QualityFault, ...]]) -> str:
    """Returns how often each fault comes first, in words."""
    first = [one[0].name for one in faults if one]
    return ", ".join(f"{name} {first.count(name)}" for name in dict.fromkeys(first))


def refusals(report: Report, seen: Seen, gate: Gate) -> None:
    """Tables what the gate refuses of each group, and aims at intervals that overlap."""
    lines, intervals = [], {}
    for group in GROUPS:
        rows = np.array(
            [row for row, look in enumerate(seen.looks) if look.group == group], np.intp
        )
        faults = faults_of(seen, gate, rows, is_template=True)
        # Of size every camera and every source is its own: a group whose pictures are small is not the gate's doing.
        refused = [one for one in faults if one and one != (QualityFault.TOO_SMALL,)]
        intervals[group] = wilson(len(refused), len(rows))
        by_people = _bootstrapped(seen.people(rows), np.array([bool(one) for one in faults]))
        small = sum(one == (QualityFault.TOO_SMALL,) for one in faults)
        report.values.setdefault("groups", {})[group] = {
            "pictures": len(rows),
            "refused": len(refused),
            "interval": intervals[group],
            "interval_over_people": by_people,
            "only_too_small": small,
        }
        lines.append(
            (
                group,
                str(len(rows)),
                str(len(refused)),
                f"{len(refused) / max(len(rows), 1):.2%}",
                f"{intervals[group]:.2%}",
                f"{by_people:.2%}",
                str(small),
                counted(refused),
            )
        )
    report.table(
        "good pictures refused, by group",
        ["group", "pictures", "refused", "share", "Wilson", "over people", "small only", "faults"],
        lines,
    )
    highest_low = max(interval.low for interval in intervals.values())
    lowest_high = min(interval.high for interval in intervals.values())
    report.aim(
        "the intervals of all groups overlap",
        f"highest lower bound {highest_low:.2%}, lowest upper bound {lowest_high:.2%}",
        met=highest_low <= lowest_high,
    )


def _bootstrapped(people: NDArray[np.str_], refused: NDArray[np.bool_]) -> Interval:
    """Returns the interval of the share of refused pictures, with all faults, by a bootstrap over people."""
    _, whose = np.unique(people, return_inverse=True)
    count = int(whose.max()) + 1 if len(whose) else 1
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=2000)
    weights = drawn[:, whose]
    shares = (weights * refused).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    return Interval(*(float(bound) for bound in np.percentile(shares, [2.5, 97.5])))
