"""What a verdict over several looks is worth: names of strangers and of enrolled people, against one look and frame by frame.

A visit is all pictures of one person, in random order, one a second; or two minutes of pictures that are shown again and again; or a clip,
frame by frame. Strangers: the share of visits in which a
stranger gets a name at least once. One look: the share of single good looks. `÷ one look` is the ratio of both, over the same visits. Enrolled people
are enrolled from one picture, from three, or from another clip. Galleries are drawn from all lent people. The pictures go through the
server's own line once; verdicts, means, thresholds and decisions are its own: a threshold is the mean of the galleries'. Intervals are bootstrapped over people, who are few in the clips.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from bench.line_embeddings import default_policy
from bench.report import Report, parser, progress, run
from bench.visit_counts import Counts, counted, mean_threshold, share, sums
from bench.visit_kinds import SIZES, clips, pictures, two_minutes
from bench.visit_looks import seen
from facewire_server.evaluation.intervals import Interval, bootstrap_share
from facewire_server.thresholds import ThresholdSource
from facewire_server.types import DecisionPolicy

__all__: list[str] = []

_WANTED: Final = (0.003, 0.01)
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
    policies = _policies()
    worst = 0.0
    named: dict[float, tuple[float, Interval, str]] = {}  # the worst row of each wanted rate
    draws = arguments.draws
    kinds = (
        *(pictures(looks, draws, enrolled) for enrolled in (1, 3)),
        two_minutes(looks, draws),
        clips(looks, draws),
    )
    for kind in kinds:
        cells, mated = [], []
        for size in progress(kind.sizes, kind.title, len(kind.sizes)):
            for wanted, policy in policies.items():
                strangers = counted(kind.strangers(size, policy), is_enrolled=False)
                mates = counted(kind.mates(size, policy), is_enrolled=True)
                row, ratio = _stranger_cells(strangers)
                worst = max(worst, ratio)
                start = (f"{size}", f"{wanted:.1%}" if wanted else "-")
                cells.append((*start, f"{mean_threshold(strangers):.3f}", *row))
                mated.append((*start, f"{mean_threshold(mates):.3f}", *_mate_cells(mates)))
                title = f"{kind.title}, {size} at {start[1] if wanted else _FIXED}"
                report.values[title] = (cells[-1], mated[-1])
                if wanted:
                    named[wanted] = max(
                        named.get(wanted, (0.0, Interval(0.0, 0.0), "")),
                        (*_named(strangers), f"{kind.title}, {size}"),
                    )
        report.table(
            f"{kind.title}: visits of strangers with a name, %",
            [
                *("people", "wanted", "threshold", "strangers", "visits", "one look"),
                *("frame by frame", "verdict", "÷ one look", "unknown"),
            ],
            cells,
        )
        report.table(
            f"{kind.title}: visits of enrolled people, %",
            [
                *("people", "wanted", "threshold", "enrolled", "one look", "named", "wrong name"),
                *("looks until", "90 %", "retractions a 100 visits"),
            ],
            mated,
        )
    left_out = [
        f"{kind.title} {size}" for kind in kinds for size in SIZES if size not in kind.sizes
    ]
    report.note(f"not measured, since the lent people do not suffice: {', '.join(left_out)}\n")
    for wanted, (share_named, interval, where) in named.items():
        report.aim(
            f"at most {wanted:.1%} of visits of strangers give a name, in every row",
            f"at most {share_named:.2%} ({interval.low:.2%} to {interval.high:.2%}): {where}",
            met=share_named <= wanted,
        )
    report.aim(
        "a stranger is named by a verdict no more often than by one look",
        f"at most {worst:.2f} times as often",
        met=worst <= _AIM_RATIO,
    )
    return report.finish()


def _policies() -> dict[float, DecisionPolicy]:
    """Returns the policy of each wanted rate, and under 0 that of a fixed threshold."""
    default = default_policy()
    assert default.error_rates is not None
    by_rate = {
        wanted: replace(default, error_rates=replace(default.error_rates, max_fpir=wanted))
        for wanted in _WANTED
    }
    fixed = replace(default, threshold=_FIXED, threshold_source=ThresholdSource.OPERATOR)
    return {**by_rate, 0.0: fixed}


def _named(counts: dict[str, Counts]) -> tuple[float, Interval]:
    """Returns the share of visits with a name, and its interval."""
    hits, visits = sums(counts, lambda c: (c.by_verdict, c.visits))
    return float(hits.sum() / visits.sum()), bootstrap_share(hits, visits)


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
