"""False and missed names by the number of people in a gallery: one threshold for all sizes, and each gallery's own.

FPIR: the share of looks at a stranger in which the stranger gets a name. FNIR: the share of looks at an enrolled person, in
another picture, without this person's name. One template a person; what the gallery's people say of one another is in its threshold, which is
the mean of the galleries'. Galleries are drawn from all lent people of LFW; who is not drawn is a stranger. The pictures go through the server's own line once, the decisions are its own; the search is
a matrix product, which finds what the exact search finds. Intervals are bootstrapped over people.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.held_gallery import held
from bench.line_embeddings import People, default_policy, embed
from bench.report import Report, parser, run
from facewire_server.evaluation.intervals import Interval, bootstrap_share
from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.match import candidates_needed, decisions
from facewire_server.thresholds import ThresholdSource
from facewire_server.types import Candidate, DecisionPolicy, Outcome
from harness import pictures

__all__ = ["lent_people"]

_SIZES: Final = (10, 20, 50, 100, 200, 300, 500, 1000, 2000)
_LEAST_STRANGERS: Final = 100
_BEFORE: Final = 0.42


class _Rates(NamedTuple):
    """Both error rates of one policy at one size."""

    threshold: float
    fpir: float
    fpir_interval: Interval
    fnir: float
    fnir_interval: Interval


class _Counts:
    """Looks and errors of each person, over all galleries that were drawn."""

    def __init__(self, people: int) -> None:
        self.false_names = np.zeros(people)
        self.looks_at_strangers = np.zeros(people)
        self.misses = np.zeros(people)
        self.looks_at_mates = np.zeros(people)
        self.thresholds: list[float] = []


def main() -> int:
    flags = parser("gallery_sizes", __doc__)
    flags.add_argument("--people", type=int, default=0, help="use this many people only")
    flags.add_argument("--draws", type=int, default=20, help="galleries drawn of each size")
    flags.add_argument(
        "--embeddings", type=Path, help="file (.npz) that keeps the embeddings: biometric data"
    )
    arguments = flags.parse_args()
    people = lent_people(arguments.embeddings, arguments.people)
    report = Report("gallery_sizes", arguments)
    usable = int((people.is_enrolled & people.is_comparable).sum())
    report.note(
        f"{len(people.names)} people, {int(people.is_mated.sum())} of them with a second picture; no template of "
        f"{int((~people.is_enrolled).sum())}, no probe of {int((~people.is_comparable).sum())}\n"
    )
    by_rate = default_policy()
    assert by_rate.error_rates is not None
    wanted = by_rate.error_rates.max_fpir
    fixed = replace(by_rate, threshold=_BEFORE, threshold_source=ThresholdSource.OPERATOR)
    lines, worst, low = [], 0.0, 0.0
    for size in (one for one in _SIZES if one <= usable - _LEAST_STRANGERS):
        before, after = (
            _measured(people, size, each, arguments.draws) for each in (fixed, by_rate)
        )
        worst, low = max(worst, after.fpir), max(low, after.fpir_interval.low)
        lines.append((f"{size}", *_cells(before), *_cells(after)))
        report.values[f"{size}"] = {"before": before._asdict(), "after": after._asdict()}
    left_out = [str(size) for size in _SIZES if size > usable - _LEAST_STRANGERS]
    report.table(
        f"FPIR and FNIR in %, {arguments.draws} galleries of each size",
        ["people", "at", "FPIR", "FNIR", "by rate", "FPIR", "FNIR"],
        lines,
    )
    report.note(f"not measured, since the lent people do not suffice: {', '.join(left_out)}\n")
    report.aim(
        f"FPIR within its interval of {wanted:.1%} or below, at every size",
        f"highest lower bound {low:.2%}; at most {worst:.2%}",
        met=low <= wanted,
    )
    return report.finish()


def lent_people(cache: Path | None, count: int) -> People:
    """Returns the lent people of LFW with their embeddings, from `cache` if it is there; `count` of them, 0 = all."""
    if cache is not None and cache.exists():
        return People.load(cache)
    folders = [
        *sorted((pictures.folder("verify") / "lfw").iterdir()),
        *sorted(pictures.folder("groups").glob("*/lfw_*")),
    ]
    files: dict[str, list[Path]] = {}
    for folder in folders:  # a person of both sets is one
        files.setdefault(folder.name.removeprefix("lfw_"), sorted(folder.glob("*.jpg")))
    chosen = pictures.evenly(sorted(name for name, paths in files.items() if paths), count)
    people = embed({name: files[name] for name in chosen})
    if cache is not None:
        people.save(cache)
    return people


def _measured(people: People, size: int, policy: DecisionPolicy, draws: int) -> _Rates:
    """Decides about everyone, before each of the galleries drawn."""
    random = np.random.default_rng(size)  # the same galleries for every policy
    counts = _Counts(len(people.names))
    similarities = np.clip(people.probes @ people.templates.T, -1.0, 1.0)
    for _ in range(draws):
        enrolled = random.choice(np.flatnonzero(people.is_enrolled), size, replace=False)
        _count(people, enrolled, similarities, policy, counts)
    return _Rates(
        float(np.mean(counts.thresholds)),
        counts.false_names.sum() / counts.looks_at_strangers.sum(),
        bootstrap_share(counts.false_names, counts.looks_at_strangers),
        counts.misses.sum() / counts.looks_at_mates.sum(),
        bootstrap_share(counts.misses, counts.looks_at_mates),
    )


def _count(
    people: People,
    enrolled: NDArray[np.intp],
    similarities: NDArray[np.float32],
    policy: DecisionPolicy,
    counts: _Counts,
) -> None:
    asked = np.flatnonzero(people.is_comparable)
    best = np.argsort(-similarities[asked][:, enrolled], axis=1)[:, : candidates_needed(policy)]
    candidates = tuple(
        tuple(
            Candidate(people.names[each], "", float(similarities[probe, each]), "")
            for each in enrolled[row]
        )
        for probe, row in zip(asked, best, strict=True)
    )
    pairs = held(list(people.templates[enrolled][:, None])).pairs
    counts.thresholds.append(policy.threshold_among(len(enrolled), pairs).value)
    found = SearchResult(0, candidates, len(enrolled), pairs)
    decided = decisions(found, np.ones(len(asked), np.bool_), policy)
    named = np.full(len(people.names), "", dtype=object)  # TOO_POOR: no name
    for probe, decision in zip(asked, decided, strict=True):
        known = decision.outcome is Outcome.KNOWN and decision.identity
        named[probe] = known.identity_id if known else ""
    is_enrolled = np.zeros(len(people.names), np.bool_)
    is_enrolled[enrolled] = True
    mates = is_enrolled & people.is_mated
    counts.looks_at_strangers += ~is_enrolled
    counts.false_names += ~is_enrolled & (named != "")
    counts.looks_at_mates += mates
    counts.misses += mates & (named != np.array(people.names, dtype=object))


def _cells(rates: _Rates) -> tuple[str, str, str]:
    return (
        f"{rates.threshold:.3f}",
        f"{rates.fpir * 100:.2f} ({_percent(rates.fpir_interval)})",
        f"{rates.fnir * 100:.1f} ({_percent(rates.fnir_interval)})",
    )


def _percent(interval: Interval) -> str:
    return f"{Interval(interval.low * 100, interval.high * 100):.2f}"


if __name__ == "__main__":
    run(main)
