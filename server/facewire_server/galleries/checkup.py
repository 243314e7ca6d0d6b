"""What in a gallery harms its own recognition: people who are there twice, who look alike, or whose pictures are wrong or poor."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from heapq import nsmallest
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.similar_pairs import Band, Pair, Pairs, similar_pairs
from facewire_server.galleries.single_picture import SinglePictureLimits
from facewire_server.types import Quality, QualityFault

__all__ = [
    "EnrolledPeople",
    "Finding",
    "FindingKind",
    "Findings",
    "LeftOut",
    "SinglePicture",
    "checkup",
]


class FindingKind(Enum):
    """What is wrong; the words are those of the command's JSON."""

    PROBABLE_DOUBLE = "probable_double"
    """Two identities that are probably one person."""
    CONFUSABLE = "confusable"
    """Two people of whom a picture of one can be taken for the other, or lie between them."""
    LEFT_OUT = "left_out"
    """A template that resembles its person's others too little, and is not searched."""
    DISAGREEING = "disagreeing"
    """Two templates of a person that disagree: each is searched alone, since either may be wrong."""
    POOR_PICTURE = "poor_picture"
    """A person's only picture, which is a poor one."""


class LeftOut(NamedTuple):
    """A template that is in no mean: whose it is, its id, and its embedding, (d,) float32."""

    person: int
    template_id: str
    embedding: NDArray[np.float32]


class SinglePicture(NamedTuple):
    """A person's only template."""

    person: int
    template_id: str
    quality: Quality


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledPeople:
    """The people of a gallery who can be found.

    Attributes:
        identity_ids, display_names: of each of n people, who are known by their places here.
        starts: (n + 1,) the first row of each person's means, and m.
        means: (m, d) float32 of unit length: what people are searched by, person by person; one has two whose templates disagree.
        template_ids: (m) of the oldest template of each mean.
        left_out: templates that are in no mean.
        single_pictures: of the people with one template.
    """

    identity_ids: tuple[str, ...]
    display_names: tuple[str, ...]
    starts: NDArray[np.int64]
    means: NDArray[np.float32]
    template_ids: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    single_pictures: tuple[SinglePicture, ...]

    def rows(self, person: int) -> range:
        """Returns the rows of a person's means."""
        return range(int(self.starts[person]), int(self.starts[person + 1]))


class Finding(NamedTuple):
    """Something that is wrong.

    Attributes:
        people: places of the people, the one enrolled first first.
        template_ids: of the templates that were compared, or are poor.
        value: a cosine; of POOR_PICTURE the share of the limit that is reached (`single_picture.Standing`).
        faults: of POOR_PICTURE.
    """

    people: tuple[int, ...]
    template_ids: tuple[str, ...]
    value: float
    faults: tuple[QualityFault, ...] = ()


class Findings(NamedTuple):
    """What was found of a kind: the number of all, and the worst ones, worst first."""

    total: int
    listed: tuple[Finding, ...]


def checkup(
    people: EnrolledPeople,
    *,
    least_double: float,
    least_confusable: float,
    limits: SinglePictureLimits,
    limit: int,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[FindingKind, Findings]:
    """Returns what is wrong in a gallery, of each kind.

    Args:
        people: of the gallery.
        least_double: cosine of two means from which on their people are probably one (`thresholds.doubles`).
        least_confusable: cosine from which on they are confusable; at or above `least_double` no pair is.
        limits: what the only picture of a person must reach.
        limit: most findings of a kind that are listed, 1 or more.
        progress: takes the share of the pairs that were compared, 0 to 1, if there are many.
    """
    least = min(least_confusable, least_double)
    bands = (Band(least_double, np.inf), Band(least, least_double))
    doubles, confusable = similar_pairs(
        people.means, people.starts, bands, limit=limit, progress=progress
    )
    return {
        FindingKind.PROBABLE_DOUBLE: _of_pairs(people, doubles),
        FindingKind.CONFUSABLE: _of_pairs(people, confusable),
        FindingKind.LEFT_OUT: _worst((_left_out(people, one) for one in people.left_out), limit),
        FindingKind.DISAGREEING: _worst(_disagreeing(people), limit),
        FindingKind.POOR_PICTURE: _worst(_poor(people.single_pictures, limits), limit),
    }


def _of_pairs(people: EnrolledPeople, pairs: Pairs) -> Findings:
    return Findings(pairs.total, tuple(_of_pair(people, one) for one in pairs.listed))


def _of_pair(people: EnrolledPeople, pair: Pair) -> Finding:
    rows = [(a, b) for a in people.rows(pair.first) for b in people.rows(pair.second)]
    nearest = max(rows, key=lambda one: float(people.means[one[0]] @ people.means[one[1]]))
    template_ids = tuple(people.template_ids[row] for row in nearest)
    return Finding((pair.first, pair.second), template_ids, pair.similarity)


def _left_out(people: EnrolledPeople, one: LeftOut) -> Finding:
    rows = people.rows(one.person)
    similarity = (people.means[rows.start : rows.stop] @ one.embedding).max()
    return Finding((one.person,), (one.template_id,), float(similarity))


def _disagreeing(people: EnrolledPeople) -> Iterable[Finding]:
    for person in np.flatnonzero(np.diff(people.starts) > 1).tolist():
        first, second = people.rows(person)
        value = float(people.means[first] @ people.means[second])
        yield Finding((person,), (people.template_ids[first], people.template_ids[second]), value)


def _poor(pictures: Iterable[SinglePicture], limits: SinglePictureLimits) -> Iterable[Finding]:
    for one in pictures:
        standing = limits.standing(one.quality)
        if standing.faults:
            yield Finding((one.person,), (one.template_id,), standing.share, standing.faults)


def _worst(found: Iterable[Finding], limit: int) -> Findings:
    """Counts findings and lists those with the lowest numbers, without keeping all."""
    counter = count()
    # `zip` asks the counter first, so it is one ahead when the findings end.
    numbered = (one for _, one in zip(counter, found, strict=False))
    listed = nsmallest(limit, numbered, key=lambda one: (one.value, one.people))
    return Findings(next(counter) - 1, tuple(listed))
