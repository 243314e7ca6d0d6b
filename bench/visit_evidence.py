"""What a verdict over several looks is worth: names of strangers and of enrolled people, against one look and frame by frame.

A visit is all pictures of one person, in random order, one a second; or two minutes of pictures that are shown again and again; or a clip,
frame by frame. Strangers: the share of visits in which a
stranger gets a name at least once. One look: the share of single good looks. `÷ one look` is the ratio of both, over the same visits. Enrolled people
are enrolled from their first picture, or from another clip. Galleries are drawn from all lent people. The pictures go through the
server's own line once; verdicts and decisions are its own. Intervals are bootstrapped over people, who are few in the clips.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.intervals import Interval, bootstrap_share
from bench.line_embeddings import Shot, default_policy
from bench.report import Report, parser, progress, run
from bench.visit_judged import Gallery, Visit, visit
from bench.visit_looks import LEAST_SHOTS, Clip, Seen, seen
from facewire_server.thresholds import ThresholdSource
from facewire_server.types import DecisionPolicy

__all__: list[str] = []

_SIZES: Final = (100, 300, 1000)
_FIXED: Final = 0.42
"""A threshold that is too low for such galleries, so that there are false names enough to compare."""

_PICTURE_S: Final = 1.0
_LONG_SHOTS: Final = 6
"""Pictures of a person of whom a long visit is made."""

_LONG_LOOKS: Final = 60
_LONG_S: Final = 2.0
_AIM_RATIO: Final = 1.0

Visits = Iterator[tuple[str, Visit]]


@dataclass
class _Counts:
    """Visits of one person, summed over all galleries that were drawn."""

    visits: int = 0
    by_one_look: float = 0.0
    right_by_one_look: float = 0.0
    by_frame: int = 0
    by_verdict: int = 0
    right: int = 0
    unknown: int = 0
    retractions: int = 0
    looks: list[int] = field(default_factory=list)

    def add(self, seen: Visit, name: str) -> None:
        """Counts a visit of the person `name`; "" = a stranger."""
        wrong = [each not in ("", name) for each in seen.frame_names]
        self.visits += 1
        self.by_one_look += sum(wrong) / len(wrong)
        self.right_by_one_look += seen.frame_names.count(name) / len(wrong)
        self.by_frame += any(wrong)
        self.by_verdict += any(each != name for each in seen.names)
        self.right += name in seen.names
        self.unknown += seen.is_unknown
        self.retractions += seen.retractions
        self.looks += [seen.looks_until_name] if seen.looks_until_name else []


class _Kind(NamedTuple):
    """One kind of visits, by the gallery's size: whoever is in none of `Visits` is a stranger."""

    title: str
    strangers: Callable[[int, DecisionPolicy], Visits]
    mates: Callable[[int, DecisionPolicy], Visits]


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
    for kind in (_pictures(looks, draws), _two_minutes(looks, draws), _clips(looks, draws)):
        cells, mated = [], []
        for size in progress(_SIZES, kind.title, len(_SIZES)):
            for policy in (by_size, fixed):
                threshold = policy.threshold_among(size).value
                strangers = _counted(kind.strangers(size, policy), is_enrolled=False)
                mates = _counted(kind.mates(size, policy), is_enrolled=True)
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


def _counted(visits: Visits, *, is_enrolled: bool) -> dict[str, _Counts]:
    counts: dict[str, _Counts] = {}
    for name, each in visits:
        if each.frame_names:
            counts.setdefault(name, _Counts()).add(each, name if is_enrolled else "")
    return counts


def _pictures(looks: Seen, draws: int) -> _Kind:
    def shuffled(shots: list[Shot], random: np.random.Generator) -> list[Shot]:
        is_enough = len(shots) >= LEAST_SHOTS
        return [shots[row] for row in random.permutation(len(shots))] if is_enough else []

    return _of_pictures("pictures", looks, draws, shuffled, _PICTURE_S)


def _two_minutes(looks: Seen, draws: int) -> _Kind:
    def drawn(shots: list[Shot], random: np.random.Generator) -> list[Shot]:
        if len(shots) < _LONG_SHOTS:
            return []
        # In rounds, so that no look is that of the same picture as the one before.
        rounds = [random.permutation(len(shots)) for _ in range(_LONG_LOOKS // len(shots) + 1)]
        return [shots[row] for row in np.concatenate(rounds)[:_LONG_LOOKS]]

    return _of_pictures("two minutes of pictures", looks, draws, drawn, _LONG_S)


def _of_pictures(
    title: str,
    looks: Seen,
    draws: int,
    order: Callable[[list[Shot], np.random.Generator], list[Shot]],
    interval_s: float,
) -> _Kind:
    enrollable = [one for one in looks.sitters if len(one.templates)]

    def visits(size: int, policy: DecisionPolicy, *, is_enrolled: bool) -> Visits:
        random = np.random.default_rng(size)
        for _ in range(draws):
            chosen = random.choice(len(enrollable), size, replace=False)
            people = [(enrollable[row].name, enrollable[row].templates) for row in chosen]
            names = {name for name, _ in people}
            gallery = Gallery(people, policy)
            for one in (one for one in looks.sitters if (one.name in names) == is_enrolled):
                # A mate is shown without the picture that is enrolled.
                shots = [shot for shot in one.shots[int(is_enrolled) :] if shot]
                if shown := order(shots, random) if shots else []:
                    yield one.name, visit(shown, interval_s, gallery)

    return _Kind(
        title,
        lambda size, policy: visits(size, policy, is_enrolled=False),
        lambda size, policy: visits(size, policy, is_enrolled=True),
    )


def _clips(looks: Seen, draws: int) -> _Kind:
    others = [one for one in looks.sitters if len(one.templates)]
    enrollable = {clip.name for clip in looks.clips if len(_of(looks, clip.name)) > 1}

    def drawn(size: int, policy: DecisionPolicy, mates: Sequence[Clip]) -> Iterator[Gallery]:
        random = np.random.default_rng(size)
        for _ in range(draws):
            chosen = random.choice(len(others), size - len(mates), replace=False)
            people = [(others[row].name, others[row].templates) for row in chosen]
            yield Gallery([*people, *((mate.name, mate.templates) for mate in mates)], policy)

    def strangers(size: int, policy: DecisionPolicy) -> Visits:
        for gallery in drawn(size, policy, ()):
            for clip in looks.clips:
                yield clip.name, visit(clip.shots, 1 / clip.fps, gallery)

    def mates(size: int, policy: DecisionPolicy) -> Visits:
        signers = [_of(looks, name) for name in sorted(enrollable)]
        for gallery in drawn(size, policy, [clips[0] for clips in signers]):
            for clip in (clip for clips in signers for clip in clips[1:]):
                yield clip.name, visit(clip.shots, 1 / clip.fps, gallery)

    return _Kind("clips", strangers, mates)


def _of(looks: Seen, name: str) -> list[Clip]:
    return [clip for clip in looks.clips if clip.name == name]


def _stranger_cells(counts: dict[str, _Counts]) -> tuple[tuple[str, ...], float]:
    if not counts:
        return ("0", "0", "-", "-", "-", "-", "-"), 0.0
    visits, one, frames, verdicts, unknown = _sums(
        counts, lambda c: (c.visits, c.by_one_look, c.by_frame, c.by_verdict, c.unknown)
    )
    ratio = verdicts.sum() / one.sum() if one.sum() else 0.0
    return (
        (
            f"{len(counts)}",
            f"{visits.sum():.0f}",
            _share(one, visits),
            _share(frames, visits),
            _share(verdicts, visits),
            f"{ratio:.2f} ({bootstrap_share(verdicts, one):.2f})" if one.sum() else "-",
            f"{100 * unknown.sum() / visits.sum():.0f}",
        ),
        float(ratio),
    )


def _mate_cells(counts: dict[str, _Counts]) -> tuple[str, ...]:
    if not counts:
        return ("0", "-", "-", "-", "-", "-", "-")
    visits, one, wrong_by_verdict, right, retractions = _sums(
        counts,
        lambda c: (c.visits, c.right_by_one_look, c.by_verdict, c.right, c.retractions),
    )
    looks = [each for count in counts.values() for each in count.looks]
    return (
        f"{len(counts)}",
        _share(one, visits),
        _share(right, visits),
        _share(wrong_by_verdict, visits),
        f"{np.median(looks):.0f}",
        f"{np.quantile(looks, 0.9):.0f}",
        f"{100 * retractions.sum() / visits.sum():.2f}",
    )


def _sums(
    counts: dict[str, _Counts], of: Callable[[_Counts], tuple[float, ...]]
) -> list[NDArray[np.float64]]:
    return list(np.array([of(count) for count in counts.values()], float).T)


def _share(hits: NDArray[np.float64], visits: NDArray[np.float64]) -> str:
    low, high = bootstrap_share(hits, visits)
    return f"{100 * hits.sum() / visits.sum():.2f} ({Interval(100 * low, 100 * high):.1f})"


if __name__ == "__main__":
    run(main)
