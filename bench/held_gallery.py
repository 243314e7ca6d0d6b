"""People as a gallery of the server holds them: the means that they are searched by, and how much they resemble one another."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.fusion import fuse
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.thresholds import GalleryPairs

__all__ = ["HeldPeople", "held"]

_MOST_PEOPLE: Final = 512
"""People that are compared; of a larger gallery every second, fourth and so on (`backends/lmdb_gallery/pair_sample.py`)."""


class HeldPeople(NamedTuple):
    """What a gallery holds of n people.

    Attributes:
        means: (m, d) float32 of unit length; a person whose two templates disagree has two.
        owners: (m,) the person of each, 0 to n - 1, ascending.
        pairs: how much the people resemble one another.
    """

    means: NDArray[np.float32]
    owners: NDArray[np.intp]
    pairs: GalleryPairs


def held(people: Sequence[NDArray[np.float32]]) -> HeldPeople:
    """Returns what a gallery holds of people who were enrolled in this order.

    Args:
        people: of each the templates, (k, d) float32 of unit length, k > 0, the oldest first.
    """
    fused = [fuse(templates) for templates in people]
    means = np.stack([one.mean for each in fused for one in each])
    owners = np.repeat(np.arange(len(people)), [len(each) for each in fused])
    agreeing = [[row for one in each for row in one.rows] for each in fused]
    templates = np.concatenate([one[rows] for one, rows in zip(people, agreeing, strict=True)])
    template_owners = np.repeat(np.arange(len(people)), [len(rows) for rows in agreeing])
    compared = _sampled(len(people))
    sampled, sampled_means = compared[template_owners], compared[owners]
    pairs = gallery_pairs(
        templates[sampled], template_owners[sampled], means[sampled_means], owners[sampled_means]
    )
    return HeldPeople(means, owners, pairs)


def _sampled(people: int) -> NDArray[np.bool_]:
    """Returns which people are compared, (n,): those whom a gallery compares in which no one was deleted, with one template each."""
    step = 1
    while people > _MOST_PEOPLE and step * _MOST_PEOPLE <= people:
        step *= 2
    return np.isin(np.arange(people), range(0, people, step))
