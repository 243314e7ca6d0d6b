"""Verification by group of people: TAR at FMR 1e-2, and false matches at the shipped threshold.

Each pair goes through the running server's `Compare`, MOST_CENTRAL. A picture in which no face is found counts
as similarity -1: a mated pair with it is a miss. Intervals of TAR are bootstrapped over people, not
over pairs; those of FMR are Wilson's.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bench.comparing import Compared, Pair, compare_pairs, similarities
from bench.intervals import ScoredPairs, bootstrap_tar, tar_at_fmr, threshold_at_fmr
from bench.report import Report, parser, run
from facewire_server.evaluation.intervals import Interval, wilson
from harness import pictures
from harness.running import running_server

__all__: list[str] = []

FMR: Final = 1e-2
REFERENCE_TAR: Final = {"asian": 0.94, "black": 0.97, "south_asian": 1.0, "white": 0.99}
"""Plain MTCNN with SFace on the same pairs."""

_SCAN: Final = (0.34, 0.36, 0.38, 0.40, 0.42, 0.44, 0.46, 0.48)


class _Group(NamedTuple):
    """The results of one group; `scan` has threshold, TAR and FMR."""

    name: str
    mated: int
    non_mated: int
    threshold_at_fmr: float
    tar: float
    tar_interval: Interval
    tar_shipped: float
    false_matches: int
    fmr_interval: Interval
    scan: list[tuple[float, float, float]]

    @property
    def verdict(self) -> str:
        """Returns whether the reference lies within, below or above the interval."""
        reference = REFERENCE_TAR[self.name]
        if reference < self.tar_interval.low:
            return "below"
        return "within" if reference <= self.tar_interval.high else "ABOVE"


def main() -> int:
    flags = parser("groups", __doc__)
    flags.add_argument("--limit", type=int, default=0, help="compare this many pairs only")
    arguments = flags.parse_args()
    folder = pictures.folder("groups")
    images = {row["path"]: row for row in pictures.rows(folder / "images.csv")}
    rows = pictures.evenly(pictures.rows(folder / "pairs.csv"), arguments.limit)
    pairs = [Pair(folder / r["path_a"], folder / r["path_b"], r["same"] == "1") for r in rows]
    with running_server() as server, server.channel() as channel:
        compared, faceless = compare_pairs(channel, pairs, "pairs")

    threshold = max(answer.threshold for answer in compared)
    groups = [_group(name, rows, compared, images, threshold) for name in REFERENCE_TAR]
    report = Report("groups", arguments)
    _tables(report, groups, threshold)
    _failures(report, rows, images, {str(path.relative_to(folder)) for path in faceless})
    report.values["threshold"] = threshold
    report.values["groups"] = {group.name: group._asdict() for group in groups}
    for group in groups:
        report.aim(
            f"{group.name}: {REFERENCE_TAR[group.name]:.2f} lies within the interval or below",
            f"{group.tar:.3f} ({group.tar_interval:.3f})",
            met=group.verdict != "ABOVE",
        )
    return report.finish()


def _group(
    name: str,
    rows: Sequence[dict[str, str]],
    compared: Sequence[Compared],
    images: dict[str, dict[str, str]],
    threshold: float,
) -> _Group:
    chosen = [index for index, row in enumerate(rows) if row["group"] == name]
    scores = similarities([compared[index] for index in chosen])
    mated = np.array([rows[index]["same"] == "1" for index in chosen])
    people: dict[str, int] = {}
    ends = [
        [people.setdefault(images[rows[index][end]]["identity"], len(people)) for index in chosen]
        for end in ("path_a", "path_b")
    ]
    pairs = ScoredPairs(scores, mated, np.array(ends[0]), np.array(ends[1]))
    false_matches = int((scores[~mated] >= threshold).sum())
    return _Group(
        name,
        int(mated.sum()),
        int((~mated).sum()),
        threshold_at_fmr(scores[~mated], FMR),
        tar_at_fmr(pairs, FMR),
        bootstrap_tar(pairs, FMR),
        float((scores[mated] >= threshold).mean()),
        false_matches,
        wilson(false_matches, int((~mated).sum())),
        [
            (at, float((scores[mated] >= at).mean()), float((scores[~mated] >= at).mean()))
            for at in _SCAN
        ],
    )


def _tables(report: Report, groups: Sequence[_Group], threshold: float) -> None:
    report.table(
        f"TAR at FMR {FMR:g}, 95 % interval by identity",
        ["group", "mated", "non-mated", "threshold", "TAR", "interval", "reference", "it lies"],
        [
            (
                group.name,
                str(group.mated),
                str(group.non_mated),
                f"{group.threshold_at_fmr:.3f}",
                f"{group.tar:.3f}",
                f"{group.tar_interval:.3f}",
                f"{REFERENCE_TAR[group.name]:.2f}",
                group.verdict,
            )
            for group in groups
        ],
    )
    report.table(
        f"at the shipped threshold {threshold:.3f}",
        ["group", "TAR", "false matches", "FMR", "95 % interval"],
        [
            (
                group.name,
                f"{group.tar_shipped:.3f}",
                f"{group.false_matches} of {group.non_mated}",
                f"{group.false_matches / group.non_mated:.2%}",
                f"{group.fmr_interval:.2%}",
            )
            for group in groups
        ],
    )

    report.table(
        "TAR and FMR in % at other thresholds",
        ["group", *(f"{at:.2f}" for at in _SCAN)],
        [
            (group.name, *(f"{tar * 100:.1f} {fmr * 100:.2f}" for _, tar, fmr in group.scan))
            for group in groups
        ],
    )


def _failures(
    report: Report,
    rows: Sequence[dict[str, str]],
    images: dict[str, dict[str, str]],
    faceless: set[str],
) -> None:
    """Pictures without a face, by where the pictures come from."""
    used = {row[end] for row in rows for end in ("path_a", "path_b")}
    seen = Counter(_source(images[path]) for path in used)
    missed = Counter(_source(images[path]) for path in faceless)
    report.table(
        "pictures in which no face was found",
        ["group, source", "pictures", "no face", "of them"],
        [
            (source, str(count), str(missed[source]), f"{missed[source] / count:.1%}")
            for source, count in sorted(seen.items())
        ],
    )
    report.values["no_face"] = {source: [missed[source], seen[source]] for source in sorted(seen)}
    if faceless:
        report.note("without a face: " + ", ".join(sorted(Path(path).name for path in faceless)))


def _source(image: dict[str, str]) -> str:
    return f"{image['group']}, {image['source'].rpartition('/')[2]}"


if __name__ == "__main__":
    run(main)
