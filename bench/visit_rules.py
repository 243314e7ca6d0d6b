"""Rules that a verdict could follow, beside the one that it follows: how often each names strangers and enrolled people.

The visits and galleries are those of `bench.visit_evidence`, pictures only. A rule says how looks are averaged (their similarities, or their
direction), with which weights, which looks are kept, how many are needed for a name, and how far above the threshold one suffices. Each row
changes one thing of the first, which is the shipped rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.held_gallery import held
from bench.line_embeddings import default_policy
from bench.report import Report, parser, progress, run
from bench.visit_looks import LEAST_SHOTS, Seen, Sitter, seen
from facewire_server.evaluation.intervals import bootstrap_share

__all__: list[str] = []

_SIZE: Final = 300
_THRESHOLDS: Final = (0.42, 0.0)
"""The first is too low for such a gallery, so that there are false names enough to compare; 0 = each gallery's own."""

_MARGIN: Final = 0.03


@dataclass(frozen=True)
class _Rule:
    """One rule.

    Attributes:
        title: of its row.
        cohesion: exponent of the length of the looks' mean, by which its similarity is multiplied: 1 = the mean of the looks'
            similarities, 0 = the similarity of their mean direction.
        max_looks: that are kept.
        kept: which.
        by_norm: whether a look weighs as much as its norm.
        needed: looks for a name.
        early: similarity above the threshold at which one suffices.
    """

    title: str
    cohesion: float = 1.0
    max_looks: int = 5
    kept: str = "newest"
    by_norm: bool = False
    needed: int = 2
    early: float = 0.10


_SHIPPED: Final = _Rule("shipped")
_RULES: Final = (
    _SHIPPED,
    replace(_SHIPPED, title="similarity of the mean direction", cohesion=0.0),
    replace(_SHIPPED, title="half way between", cohesion=0.5),
    replace(_SHIPPED, title="one look never suffices", early=2.0),
    replace(_SHIPPED, title="one suffices at + .05", early=0.05),
    replace(_SHIPPED, title="one suffices at + .00", early=0.0),
    replace(_SHIPPED, title="three looks needed", needed=3),
    replace(_SHIPPED, title="at most 3 looks", max_looks=3),
    replace(_SHIPPED, title="at most 10 looks", max_looks=10),
    replace(_SHIPPED, title="the first 5 looks", kept="first"),
    replace(_SHIPPED, title="the 5 of the largest norm", kept="norm"),
    replace(_SHIPPED, title="5 looks spread over the visit", kept="spread"),
    replace(_SHIPPED, title="weighted by norm", by_norm=True),
)


class _Track:
    """The looks of one visit, and their similarities to everyone who is enrolled."""

    def __init__(
        self,
        embeddings: NDArray[np.float32],
        norms: NDArray[np.float64],
        templates: NDArray[np.float32],
        threshold: float,
    ) -> None:
        self.count = len(embeddings)
        self._embeddings = embeddings
        self._norms = norms
        self.similarities = embeddings @ templates.T
        self.threshold = threshold

    def fused(self, upto: int, rule: _Rule) -> NDArray[np.float64]:
        """Returns the similarities of the first looks together, (people,)."""
        rows = self._kept(upto, rule)
        weights = self._norms[rows] if rule.by_norm else np.ones(len(rows))
        weights = weights / weights.sum()
        length = float(np.linalg.norm(weights @ self._embeddings[rows]))
        scale = length ** (rule.cohesion - 1.0)
        fused: NDArray[np.float64] = scale * (weights @ self.similarities[rows])
        return fused

    def _kept(self, upto: int, rule: _Rule) -> NDArray[np.intp]:
        if upto <= rule.max_looks:
            return np.arange(upto)
        if rule.kept == "norm":
            return np.sort(np.argsort(-self._norms[:upto], kind="stable")[: rule.max_looks])
        if rule.kept == "spread":
            return np.linspace(0, upto - 1, rule.max_looks).astype(np.intp)
        first = 0 if rule.kept == "first" else upto - rule.max_looks
        return np.arange(first, first + rule.max_looks)


def main() -> int:
    flags = parser("visit_rules", __doc__)
    flags.add_argument("--draws", type=int, default=20, help="galleries drawn")
    flags.add_argument(
        "--embeddings", type=Path, help="file (.npz) that keeps the embeddings: biometric data"
    )
    arguments = flags.parse_args()
    looks = seen(arguments.embeddings)
    report = Report("visit_rules", arguments)
    for chosen in _THRESHOLDS:
        visits = list(_visits(looks, arguments.draws, chosen))
        threshold = float(np.mean([track.threshold for _, track, _ in visits]))
        cells = [_cells(rule, visits) for rule in progress(_RULES, "rules", len(_RULES))]
        report.table(
            f"{_SIZE} people, threshold {threshold:.3f}",
            [
                "rule",
                "strangers ÷ one look",
                "enrolled, named %",
                "looks until",
                "not by the first",
            ],
            cells,
        )
        report.values[f"{threshold:.3f}"] = cells
    return report.finish()


def _visits(looks: Seen, draws: int, threshold: float) -> Iterator[tuple[str, _Track, int]]:
    """Yields each visit: the person, the track, and the person's row in the gallery; -1 = a stranger."""
    random = np.random.default_rng(_SIZE)
    enrollable = [one for one in looks.sitters if len(one.templates)]
    for _ in range(draws):
        chosen = random.choice(len(enrollable), _SIZE, replace=False)
        rows = {enrollable[at].name: row for row, at in enumerate(chosen)}
        people = held([enrollable[at].templates[:1] for at in chosen])
        at_least = threshold or default_policy().threshold_among(_SIZE, people.pairs).value
        for one in looks.sitters:
            is_enrolled = one.name in rows
            track = _track(one, people.means, at_least, random, is_enrolled=is_enrolled)
            if track:
                yield one.name, track, rows.get(one.name, -1)


def _track(
    one: Sitter,
    templates: NDArray[np.float32],
    threshold: float,
    random: np.random.Generator,
    *,
    is_enrolled: bool,
) -> _Track | None:
    hidden = one.enrolled[:1] if is_enrolled else ()
    shots = [shot for row, shot in enumerate(one.shots) if shot and row not in hidden]
    if len(shots) < LEAST_SHOTS:
        return None
    order = [shots[row] for row in random.permutation(len(shots))]
    embeddings = np.stack([shot.embedding for shot in order])
    return _Track(embeddings, np.array([shot.norm for shot in order]), templates, threshold)


def _cells(rule: _Rule, visits: list[tuple[str, _Track, int]]) -> tuple[str, str, str, str, str]:
    people = {name: row for row, name in enumerate(sorted({name for name, _, _ in visits}))}
    false_names, one_look, mates, right = np.zeros((4, len(people)))
    looks = []
    for name, track, row in visits:
        named, count = _first_name(track, rule)
        if row < 0:
            false_names[people[name]] += named >= 0
            one_look[people[name]] += np.mean(
                [_named(each, track.threshold) >= 0 for each in track.similarities]
            )
        else:
            mates[people[name]] += 1
            right[people[name]] += named == row
            looks += [count] if named == row else []
    ratio = bootstrap_share(false_names, one_look)
    return (
        rule.title,
        f"{false_names.sum() / one_look.sum():.2f} ({ratio:.2f})",
        f"{100 * right.sum() / mates.sum():.1f}",
        f"{np.mean(looks):.2f}",
        f"{100 * np.mean(np.array(looks) > 1):.0f} %",
    )


def _first_name(track: _Track, rule: _Rule) -> tuple[int, int]:
    """Returns the row that is named first, -1 if none is, and the looks until then."""
    for count in range(1, track.count + 1):
        fused = track.fused(count, rule)
        raised = 0.0 if min(count, rule.max_looks) >= rule.needed else rule.early
        named = _named(fused, track.threshold)
        if named >= 0 and fused[named] >= track.threshold + raised:
            return named, count
    return -1, track.count


def _named(similarities: NDArray[np.floating], threshold: float) -> int:
    runner_up, best = np.argpartition(similarities, -2)[-2:]
    is_clear = similarities[best] - similarities[runner_up] >= _MARGIN
    is_match = similarities[best] >= threshold
    return int(best) if is_match and (is_clear or similarities[runner_up] < threshold) else -1


if __name__ == "__main__":
    run(main)
