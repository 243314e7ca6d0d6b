"""How much the people of a gallery resemble one another: the mean and spread over pairs of different people."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.thresholds import NO_PAIRS, GalleryPairs
from facewire_server.thresholds.rule import PROBABLE_DOUBLE

__all__ = ["gallery_pairs"]

_DECIMALS: Final = 6
"""Mean and spread are rounded to this many, so that the same people have the same threshold whatever the library sums first."""


def gallery_pairs(
    templates: NDArray[np.float32],
    template_owners: NDArray[np.integer],
    means: NDArray[np.float32],
    mean_owners: NDArray[np.integer],
) -> GalleryPairs:
    """Compares each template with each other person's mean template.

    Pairs that are so similar that they are probably one person under two names are left out.

    Args:
        templates: (n, d) float32 of unit length.
        template_owners: (n,) the person of each.
        means: (m, d) float32 of unit length.
        mean_owners: (m,) the person of each.
    """
    similarities = templates @ means.T
    counts = (template_owners[:, None] != mean_owners) & (similarities < PROBABLE_DOUBLE)
    count = int(counts.sum())
    if not count:
        return NO_PAIRS
    kept = np.where(counts, similarities, np.float32(0))
    mean = float(kept.sum(dtype=np.float64)) / count
    squares = float(np.square(kept).sum(dtype=np.float64)) / count
    return GalleryPairs(
        round(mean, _DECIMALS),
        round(math.sqrt(max(0.0, squares - mean * mean)), _DECIMALS),
        len(np.unique(mean_owners)),
    )
