"""Looks at strangers and at enrolled people of the measurement `open_set`, and the rates that follow."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.open_set_galleries import Gallery
from facewire_server.evaluation.intervals import OfPairs, OfPeople, Rate, rate
from facewire_server.evaluation.samples import Samples

__all__ = ["Measured", "Tally", "look"]


class Measured(NamedTuple):
    """The result of one policy.

    Attributes:
        threshold: the mean of all galleries.
        fpir: strangers with a name.
        fnir: enrolled people without theirs.
        chief_pair: share of the false names that two people cause who are taken for each other most often; 0 without a false name.
        let_in: looks at the person of a wrong picture that give the name that has it; None without such looks.
    """

    threshold: float
    fpir: Rate
    fnir: Rate
    chief_pair: float
    let_in: Rate | None = None


class Tally:
    """Looks and errors of one policy, over all galleries of a case."""

    def __init__(self, people: int) -> None:
        self.strangers = np.zeros(people, np.int64)
        self.mates = np.zeros(people, np.int64)
        self.misses = np.zeros(people, np.int64)
        self.intruders = np.zeros(people, np.int64)
        self.let_in = np.zeros(people, np.int64)
        self.false_names: list[NDArray[np.intp]] = []
        self.thresholds: list[float] = []

    def measured(self, draws: NDArray[np.float32]) -> Measured:
        """Returns the rates over all looks, with the resamples of `drawn_people`."""
        first, second = np.concatenate([*self.false_names, np.empty((2, 0), np.intp)], axis=1)
        named = OfPairs(first, second, np.ones(len(first), np.int64))
        return Measured(
            float(np.mean(self.thresholds)),
            rate(named, OfPeople(self.strangers), draws),
            rate(OfPeople(self.misses), OfPeople(self.mates), draws),
            _chief_pair(first, second),
            rate(OfPeople(self.let_in), OfPeople(self.intruders), draws)
            if self.intruders.any()
            else None,
        )

    def add(
        self,
        threshold: float,
        person: NDArray[np.intp],
        named: NDArray[np.intp],
        similarity: NDArray[np.float32],
        is_searched: NDArray[np.bool_],
        is_mate: NDArray[np.bool_],
    ) -> None:
        """Takes looks at people, the nearest identity of each, and how similar it is; a name is given from the threshold on."""
        self.thresholds.append(threshold)
        is_named = is_searched & (similarity >= threshold)
        stranger = ~is_mate & is_searched
        np.add.at(self.strangers, person[stranger], 1)
        np.add.at(self.mates, person[is_mate], 1)
        np.add.at(self.misses, person[is_mate & ~(is_named & (named == person))], 1)
        self.false_names.append(np.stack([person, named])[:, stranger & is_named])

    def add_intruders(self, person: NDArray[np.intp], is_let_in: NDArray[np.bool_]) -> None:
        """Takes looks at people whose picture another name has, and whether they got that name."""
        np.add.at(self.intruders, person, 1)
        np.add.at(self.let_in, person[is_let_in], 1)


def look(
    samples: Samples,
    members: NDArray[np.intp],
    gallery: Gallery,
    tally: Tally,
    threshold: float,
    *,
    fused: bool,
) -> None:
    """Lets everyone look who has a picture that is not enrolled; the best identity is named if it reaches the threshold."""
    vectors, owners = (
        (gallery.held.means, gallery.held.owners) if fused else (gallery.templates, gallery.owners)
    )
    takes_part = samples.is_usable & np.isin(samples.person, members)
    takes_part[gallery.used] = False
    rows = np.flatnonzero(takes_part)
    similarities = samples.probes[rows] @ vectors.T
    person, is_searched = samples.person[rows], samples.is_searched[rows]
    nearest, best = owners[similarities.argmax(axis=1)], similarities.max(axis=1)
    is_mate = np.isin(person, gallery.enrolled)
    tally.add(threshold, person, gallery.enrolled[nearest], best, is_searched, is_mate)
    intruder = is_searched & np.isin(person, gallery.intruders)
    is_let_in = (gallery.intruders[nearest] == person) & (best >= threshold)
    tally.add_intruders(person[intruder], is_let_in[intruder])


def _chief_pair(first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
    """Returns the share of the pairs that are of the same two people as most of them."""
    if not len(first):
        return 0.0
    pairs = np.stack([np.minimum(first, second), np.maximum(first, second)])
    return float(np.unique(pairs, axis=1, return_counts=True)[1].max() / len(first))
