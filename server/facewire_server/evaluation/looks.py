"""Looks at people before galleries, and the error rates that they amount to."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.histograms import Histogram
from facewire_server.evaluation.intervals import OfPairs, OfPeople, Rate, rate
from facewire_server.evaluation.samples import Samples

__all__ = ["Identification", "Look", "Looks", "rates", "worst"]

_WORST: Final = 24
"""Errors of each kind that are listed. Chosen, not measured."""


class Look(NamedTuple):
    """A decision about a picture.

    Attributes:
        row: of the picture.
        similarity: to the best identity; -1 if the face was not searched for.
        best: this identity's place; -1 = none.
        is_named: the outcome is KNOWN.
        is_enrolled: the person is in the gallery.
        threshold: in force.
    """

    row: int
    similarity: float
    best: int
    is_named: bool
    is_enrolled: bool
    threshold: float


Looks = list[Look]


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """The result of one scope.

    Attributes:
        fpir: of the looks at strangers, those with a name; a face that is too poor to be searched for is no look.
        fnir: of the looks at enrolled people, those without the right name; one whose face was not found, or is too poor, is missed.
        mated: similarities of the looks whose best identity is right; the others are failures.
        non_mated: of the looks at strangers.
    """

    fpir: Rate
    fnir: Rate
    mated: Histogram
    non_mated: Histogram


def rates(
    samples: Samples, looks: Looks, draws: NDArray[np.float32], group: str = ""
) -> Identification:
    """Computes both rates; a false name counts by its stranger and by whose name it is, since both may be drawn again.

    Args:
        samples, looks: of `identify`.
        draws: of `samples.people`, see `drawn_people`.
        group: of the people looked at; "" = all.
    """
    place = samples.groups.index(group) if group else -1
    chosen = [look for look in looks if not group or samples.group[look.row] == place]
    people = len(samples.people)
    strangers = [look for look in chosen if not look.is_enrolled]
    mates = [look for look in chosen if look.is_enrolled]
    who = samples.person
    named = [look for look in strangers if look.is_named]
    missed = [look for look in mates if not _is_right(look, samples)]

    def counted(of: Looks) -> OfPeople:
        rows = np.array([look.row for look in of], np.intp)
        return OfPeople(np.bincount(who[rows], minlength=people).astype(np.int64))

    false_names = OfPairs(
        who[np.array([look.row for look in named], np.intp)],
        np.array([look.best for look in named], np.intp),
        np.ones(len(named), np.int64),
    )
    mated, non_mated = Histogram(), Histogram()
    right = [look for look in mates if look.best == who[look.row]]
    mated.add(np.array([look.similarity for look in right]))
    mated.failures = len(mates) - len(right)
    non_mated.add(np.array([look.similarity for look in strangers]))
    return Identification(
        rate(false_names, counted(strangers), draws),
        rate(counted(missed), counted(mates), draws),
        mated,
        non_mated,
    )


def _is_right(look: Look, samples: Samples) -> bool:
    return look.is_named and look.best == int(samples.person[look.row])


def worst(samples: Samples, looks: Looks) -> tuple[Looks, Looks]:
    """Returns false names, most similar first, and misses, least similar first; each picture once."""
    named = sorted(
        (look for look in looks if look.is_named and not _is_right(look, samples)),
        key=lambda look: -look.similarity,
    )
    missed = sorted(
        (
            look
            for look in looks
            if look.is_enrolled and look.similarity > -1 and not _is_right(look, samples)
        ),
        key=lambda look: look.similarity,
    )
    return _once(named), _once(missed)


def _once(looks: Looks) -> Looks:
    return list({look.row: look for look in reversed(looks)}.values())[::-1][:_WORST]
