"""Similarities counted in narrow bins: what DET curves and histograms are drawn from, whatever their number."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "Curve", "Histogram", "det"]

BINS: Final = 2000
"""Bins of .001 from -1 to 1: finer than any threshold is set."""


class Histogram:
    """Counts of similarities; what could not be compared lies below all of them."""

    def __init__(self) -> None:
        self.counts = np.zeros(BINS, np.int64)
        self.failures = 0

    def add(self, similarities: NDArray[np.floating]) -> None:
        """Counts similarities in [-1, 1]."""
        places = np.floor((np.asarray(similarities, np.float64) + 1) * (BINS / 2)).astype(np.int64)
        self.counts += np.bincount(places.clip(0, BINS - 1), minlength=BINS)

    def total(self) -> int:
        """Returns the number of all, failures included."""
        return int(self.counts.sum()) + self.failures

    def at_least(self) -> NDArray[np.int64]:
        """Returns (BINS,): how many reach the lower edge of each bin."""
        return self.counts[::-1].cumsum()[::-1]


class Curve(NamedTuple):
    """A DET curve (A. Martin et al., "The DET curve in assessment of detection task performance", Eurospeech 1997).

    Attributes:
        threshold: (k,) ascending.
        false_positive, false_negative: (k,) shares at each.
    """

    threshold: NDArray[np.float64]
    false_positive: NDArray[np.float64]
    false_negative: NDArray[np.float64]


def det(mated: Histogram, non_mated: Histogram) -> Curve | None:
    """Returns both shares at each bin's lower edge, where one of them changes; None if there are not both kinds."""
    if not (mated.total() and non_mated.total()):
        return None
    edges = np.arange(BINS) / (BINS / 2) - 1
    positive = non_mated.at_least() / non_mated.total()
    negative = 1 - mated.at_least() / mated.total()
    changes = np.flatnonzero(np.diff(positive, prepend=2.0) + np.diff(negative, prepend=2.0) * 1j)
    return Curve(edges[changes], positive[changes], negative[changes])
