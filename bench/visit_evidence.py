"""What a verdict over several looks is worth: names of strangers and of enrolled people, against one look and frame by frame.

A visit is all pictures of one person, in random order, one a second; or two minutes of pictures that are shown again and again; or a clip,
frame by frame. Strangers: the share of visits in which a
stranger gets a name at least once. One look: the share of single good looks. `÷ one look` is the ratio of both, over the same visits. Enrolled people
are enrolled from their first picture, or from another clip. Galleries are drawn from all lent people. The pictures go through the
server's own line once; verdicts and decisions are its own. Intervals are bootstrapped over people, who are few in the clips.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from bench.line_embeddings import default_policy
from bench.report import Report, parser, progress, run
from bench.visit_counts import Counts, counted, share, sums
from bench.visit_kinds import clips, pictures, two_minutes
from bench.visit_looks import seen
from facewire_server.evaluation.intervals import bootstrap_share
from facewire_server.thresholds import ThresholdSource

__all__: list[str] = []

_SIZES: Final = (100, 300, 1000)
_FIXED: Final = 0.42
"""A threshold that is too low for such galleries, so that there are false names enough to compare."""

_AIM_RATIO: Final = 1.0


def main() -> int:
    flags = parser("visit_evidence", __doc__)
    flags.add_argument("--draws", type=int, default=20, help="galleries drawn of each size")
    flags.add_argument(
        "--embeddings", type=Path, help="file (.npz) that keeps the embeddings: biometric data"
    )
    arguments = flags.parse_args()
    looks = seen(arguments.embeddings)
    report = Report("visit_evidence", arguments)
    by_size = default_policy()
    fixed = replace(by_size, threshold=_FIXED, threshold_source=ThresholdSource.OPERATOR)
    worst = 0.0
    draws = arguments.draws
    for kind in (pictures(looks, draws), two_minutes(looks, draws), clips(looks, draws)):
        cells, mated = [], []
        for size in progress(_SIZES, kind.title, len(_SIZES)):
            for policy in (by_size, fixed):
                threshold = policy.threshold_among(size).value
                strangers = counted(kind.strangers(size, policy), is_enrolled=False)
                mates = counted(kind.mates(size, policy), is_enrolled=True)
                row, ratio = _stranger_cells(strangers)
                worst = max(worst, ratio)
                cells.append((f"{size}", f"{threshold:.3f}", *row))
                mated.append((f"{size}", f"{threshold:.3f}", *_mate_cells(mates)))
                report.values[f"{kind.title}, {size} at {threshold:.3f}"] = (row, mated[-1])
        report.table(
            f"{kind.title}: visits of strangers with a name, %",
            [
                *("people", "threshold", "strangers", "visits", "one look", "frame by frame"),
                *("verdict", "÷ one look", "unknown"),
            ],
            cells,
        )
        report.table(
            f"{kind.title}: visits of enrolled people, %",
            [
                *("people", "threshold", "enrolled", "one look", "named", "wrong name"),
                *("looks until", "90 %", "retractions a 100 visits"),
            ],
            mated,
        )
    report.aim(
        "a stranger is named by a verdict no more often than by one look",
        f"at most {worst:.2f} times as often",
        met=worst <= _AIM_RATIO,
    )
    return report.finish()


def _stranger_cells(counts: dict[str, Counts]) -> tuple[tuple[str, ...], float]:
    if not counts:
        return ("0", "0", "-", "-", "-", "-", "-"), 0.0
    visits, one, frames, verdicts, unknown = sums(
        counts, lambda c: (c.visits, c.by_one_look, c.by_frame, c.by_verdict, c.unknown)
    )
    ratio = verdicts.sum() / one.sum() if one.sum() else 0.0
    return (
        (
            f"{len(counts)}",
            f"{visits.sum():.0f}",
            share(one, visits),
            share(frames, visits),
            share(verdicts, visits),
            f"{ratio:.2f} ({bootstrap_share(verdicts, one):.2f})" if one.sum() else "-",
            f"{100 * unknown.sum() / visits.sum():.0f}",
        ),
        float(ratio),
    )


def _mate_cells(counts: dict[str, Counts]) -> tuple[str, ...]:
    if not counts:
        return ("0", "-", "-", "-", "-", "-", "-")
    visits, one, wrong_by_verdict, right, retractions = sums(
        counts,
        lambda c: (c.visits, c.right_by_one_look, c.by_verdict, c.right, c.retractions),
    )
    looks = [each for count in counts.values() for each in count.looks]
    return (
        f"{len(counts)}",
        share(one, visits),
        share(right, visits),
        share(wrong_by_verdict, visits),
        f"{np.median(looks):.0f}",
        f"{np.quantile(looks, 0.9):.0f}",
        f"{100 * retractions.sum() / visits.sum():.2f}",
    )


if __name__ == "__main__":
    run(main)
