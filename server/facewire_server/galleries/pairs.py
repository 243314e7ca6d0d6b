"""How much the people of a gallery resemble one another: over pairs of different people, and how far their means are from single pictures."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.thresholds import NO_PAIRS, GalleryPairs
from facewire_server.thresholds.doubles import LEAST_DOUBLE, probable_double_of_normal

__all__ = ["gallery_pairs"]

_DECIMALS: Final = 6
"""Numbers are rounded to this many, so that the same people have the same threshold whatever the library sums first."""

_ROUNDS: Final = 4
"""Most times that the bound of probable doubles is raised, if what lies below it says that it is too low."""


def gallery_pairs(
    templates: NDArray[np.float32],
    template_owners: NDArray[np.integer],
    means: NDArray[np.float32],
    mean_owners: NDArray[np.integer],
) -> GalleryPairs:
    """Compares each template with each other person's mean template, and with its own person's.

    Pairs that are so similar that they are probably one person under two names are left out.

    Args:
        templates: (n, d) float32 of unit length, those that are in a mean.
        template_owners: (n,) the person of each.
        means: (m, d) float32 of unit length; a person whose two templates disagree has two.
        mean_owners: (m,) the person of each.
    """
    if not len(means):
        return NO_PAIRS
    similarities = templates @ means.T
    is_own = template_owners[:, None] == mean_owners
    cohesion = round(_cohesion(similarities, is_own, mean_owners), _DECIMALS)
    people = len(np.unique(mean_owners))
    mean, spread, count = _of_strangers(similarities[~is_own], people)
    if not count:
        return GalleryPairs(cohesion=cohesion)
    return GalleryPairs(round(mean, _DECIMALS), round(spread, _DECIMALS), people, cohesion)


def _of_strangers(similarities: NDArray[np.float32], people: int) -> tuple[float, float, int]:
    """Returns mean, spread and number of the pairs that are no probable doubles.

    The bound follows from the pairs themselves, as if they were normally distributed: who stores them knows no calibration.
    """
    mean, spread, count, bound = 0.0, 0.0, 0, LEAST_DOUBLE
    for _ in range(_ROUNDS):
        kept = similarities[similarities < bound].astype(np.float64)
        count = len(kept)
        if not count:
            break
        mean, spread = float(kept.mean()), float(kept.std())
        if not spread:
            break
        reached = probable_double_of_normal(people, mean, spread)
        if reached <= bound:
            break
        bound = reached
    return mean, spread, count


def _cohesion(
    similarities: NDArray[np.float32], is_own: NDArray[np.bool_], mean_owners: NDArray[np.integer]
) -> float:
    """Returns the harmonic mean of the lengths that the means had: of each, the mean similarity to the templates that are in it."""
    _, person, means_of = np.unique(mean_owners, return_inverse=True, return_counts=True)
    counts = is_own.sum(axis=0)
    sums = np.where(is_own, similarities, np.float32(0)).sum(axis=0, dtype=np.float64)
    # Of two that a person is searched by, each is one template; so is the mean of a person with one.
    is_fused = (counts > 1) & (means_of[person] == 1)
    lengths = np.where(is_fused, np.clip(sums / np.maximum(counts, 1), 0.1, 1.0), 1.0)
    return len(lengths) / float((1 / lengths).sum())
