"""Labels that are probably wrong: one person under two names, and pictures under the wrong name."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.samples import Samples
from facewire_server.thresholds.doubles import probable_double_of_normal

__all__ = ["Double", "Mislabeled", "Suspicions", "suspicions"]

_STRANGE_SPREADS: Final = 1.0
"""Spreads above that mean below which a picture resembles its person as strangers do: about .19 of SFace."""

_LISTED: Final = 60
"""Most of each kind. Chosen, not measured."""

_LEAST_PEOPLE: Final = 20
"""People from whom mean and spread are taken; with fewer nothing is suspected. Chosen, not measured."""


class Double(NamedTuple):
    """Two people who are probably one, by their places; the rows of a picture of each; similarity of their mean templates."""

    first: int
    second: int
    first_row: int
    second_row: int
    similarity: float


class Mislabeled(NamedTuple):
    """A picture that does not resemble its person.

    Attributes:
        row: of the picture.
        other_row: of another picture of the person.
        own: similarity to the mean of the person's other pictures.
        nearest: place of whoever it resembles most among the others.
        nearest_row: of a picture of them.
        similarity: to their mean.
        is_theirs: it reaches the threshold of a comparison with them, and not with its own person.
    """

    row: int
    other_row: int
    own: float
    nearest: int
    nearest_row: int
    similarity: float
    is_theirs: bool


class Suspicions(NamedTuple):
    """Probable errors, the most probable first.

    Attributes:
        doubles, mislabeled: see there.
        mean, spread: of the similarities of two people's mean templates.
    """

    doubles: list[Double]
    mislabeled: list[Mislabeled]
    mean: float
    spread: float


def suspicions(samples: Samples, threshold: float) -> Suspicions:
    """Looks for probable errors of the labels.

    Args:
        samples: the faces that may be compared are looked at.
        threshold: of a comparison.
    """
    rows = np.flatnonzero(samples.is_compared)
    people, person, counts = np.unique(
        samples.person[rows], return_inverse=True, return_counts=True
    )
    if len(people) < _LEAST_PEOPLE:
        return Suspicions([], [], 0.0, 0.0)
    vectors = samples.templates[rows]
    sums = np.zeros((len(people), vectors.shape[1]), np.float32)
    np.add.at(sums, person, vectors)
    means = _unit(sums)
    between = means @ means.T
    one, other = np.triu_indices(len(people), k=1)
    similar = between[one, other]
    low, middle = np.percentile(similar, [15.87, 50])  # the upper tail may be doubles
    mean, spread = float(middle), float(middle - low)
    first_rows = np.array([rows[np.argmax(person == each)] for each in range(len(people))])
    least_double = probable_double_of_normal(len(people), mean, spread)
    reached = np.flatnonzero(similar >= max(threshold, least_double))
    doubles = [
        Double(
            int(people[one[at]]),
            int(people[other[at]]),
            int(first_rows[one[at]]),
            int(first_rows[other[at]]),
            float(similar[at]),
        )
        for at in reached[np.argsort(-similar[reached], kind="stable")][:_LISTED]
    ]
    found = _mislabeled(
        vectors, person, counts, sums, means, threshold, mean + _STRANGE_SPREADS * spread
    )
    mislabeled = [
        Mislabeled(
            int(rows[each.row]),
            int(rows[each.other_row]),
            each.own,
            int(people[each.nearest]),
            int(first_rows[each.nearest]),
            each.similarity,
            each.is_theirs,
        )
        for each in found
    ]
    return Suspicions(doubles, mislabeled, mean, spread)


def _mislabeled(
    vectors: NDArray[np.float32],
    person: NDArray[np.intp],
    counts: NDArray[np.intp],
    sums: NDArray[np.float32],
    means: NDArray[np.float32],
    threshold: float,
    strange: float,
) -> list[Mislabeled]:
    """Returns the pictures, with places among `vectors` and `means` in place of rows and people."""
    found: list[Mislabeled] = []
    for row in np.flatnonzero(counts[person] > 1):
        own = float(vectors[row] @ _unit((sums[person[row]] - vectors[row])[None])[0])
        if own >= threshold:
            continue
        to_others = means @ vectors[row]
        to_others[person[row]] = -1.0
        nearest = int(np.argmax(to_others))
        similarity = float(to_others[nearest])
        is_theirs = similarity >= threshold
        if is_theirs or own < strange:
            mates = np.flatnonzero(person == person[row])
            found.append(
                Mislabeled(
                    int(row), int(mates[mates != row][0]), own, nearest, -1, similarity, is_theirs
                )
            )
    return sorted(found, key=lambda each: (not each.is_theirs, each.own - each.similarity))[
        :_LISTED
    ]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(
        vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32
    )
