"""Visits of unknown people, grouped as they come: strangers in one group, and one person in several.

A visit is up to three pictures of a person, of different days in most cases; a visit of a stream has at least three looks, which differ less. People are drawn from all
lent people, and their visits come in random order. The server's own grouping says whose each is. *Wrong*: the share of visits that join a group whose first visit was someone
else's. *Split*: the share of people with two visits or more who are in more than one group. Pictures go through the server's own line once; intervals are bootstrapped over people.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.lent_samples import lent_samples
from bench.line_embeddings import default_policy
from bench.open_set_tables import cell
from bench.report import Report, parser, progress, run
from facewire_server.evaluation.intervals import OfPeople, drawn_people, rate
from facewire_server.evaluation.samples import Samples
from facewire_server.streams.unknown import UnknownPerson, UnknownVisit
from facewire_server.streams.unknown.grouping import person_of
from facewire_server.types import DecisionPolicy

__all__: list[str] = []

_SIZES: Final = (10, 100, 1000)
_LOOKS: Final = 3
"""Pictures of a visit at most: as many looks as confirm an unknown person."""

_VISITS: Final = 3
"""Visits of a person at most."""


class _Counts:
    """Visits and errors of each person, over all draws."""

    def __init__(self, people: int) -> None:
        self.visits = np.zeros(people, np.int64)
        self.wrong = np.zeros(people, np.int64)
        self.several = np.zeros(people, np.int64)
        self.split = np.zeros(people, np.int64)


def main() -> int:
    flags = parser("unknown_groups", __doc__)
    flags.add_argument("--draws", type=int, default=10, help="crowds drawn of each size")
    flags.add_argument("--embeddings", type=Path, help="folder that keeps faces: biometric data")
    arguments = flags.parse_args()
    samples, _ = lent_samples(arguments.embeddings)
    report = Report("unknown_groups", arguments)
    policy = default_policy()
    draws = drawn_people(len(samples.people))
    lines = []
    for size in progress(_SIZES, "crowds", len(_SIZES)):
        counts = _Counts(len(samples.people))
        for draw in range(arguments.draws):
            _group(samples, size, policy, counts, np.random.default_rng([size, draw]))
        wrong, split = (
            cell(rate(OfPeople(hits), OfPeople(events), draws))
            for hits, events in ((counts.wrong, counts.visits), (counts.split, counts.several))
        )
        lines.append(
            (f"{size:,}", f"{counts.visits.sum()}", wrong, f"{counts.several.sum()}", split)
        )
        report.values[f"{size}"] = lines[-1]
    report.table(
        f"unknown people, {arguments.draws} crowds of each size, %",
        ["people", "visits", "wrong", "people with several visits", "split"],
        lines,
    )
    return report.finish()


def _group(
    samples: Samples,
    size: int,
    policy: DecisionPolicy,
    counts: _Counts,
    generator: np.random.Generator,
) -> None:
    """Lets people come, and counts where their visits are put."""
    able = np.unique(samples.person[samples.is_searched & samples.is_usable])
    visits = [
        (person, looks_mean)
        for person in generator.choice(able, size, replace=False).tolist()
        for looks_mean in _visits(samples, person, generator)
    ]
    groups: dict[int, UnknownPerson] = {}
    first: dict[int, int] = {}
    of_person: dict[int, list[int]] = {}
    for number in generator.permutation(len(visits)).tolist():
        person, looks_mean = visits[number]
        visit = UnknownVisit("default", "", number, number, 0, 0, looks_mean)
        group = person_of(visit, tuple(groups.values()), policy)
        group_id = group.unknown_id if group else number
        groups[group_id] = group.with_visit(visit) if group else UnknownPerson(number, (visit,))
        counts.wrong[person] += first.setdefault(group_id, person) != person
        counts.visits[person] += 1
        of_person.setdefault(person, []).append(group_id)
    for person, mine in of_person.items():
        counts.several[person] += len(mine) > 1
        counts.split[person] += len(set(mine)) > 1


def _visits(
    samples: Samples, person: int, generator: np.random.Generator
) -> Sequence[NDArray[np.float32]]:
    """Returns the mean of the looks of each of a person's visits."""
    rows = np.flatnonzero((samples.person == person) & samples.is_searched & samples.is_usable)
    rows = generator.permutation(rows)[: _LOOKS * _VISITS]
    parts = np.array_split(rows, max(1, len(rows) // _LOOKS))
    return [samples.probes[part[:_LOOKS]].mean(axis=0) for part in parts]


if __name__ == "__main__":
    run(main)
