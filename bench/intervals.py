"""Confidence intervals of the rate at a fixed FMR, of medians and of slopes; shares have theirs in `facewire_server.evaluation.intervals`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.intervals import Interval, drawn_people

__all__ = [
    "ScoredPairs",
    "bootstrap_fmr",
    "bootstrap_tar",
    "median_of",
    "tar_at_fmr",
    "theil_sen",
    "threshold_at_fmr",
]

_Z95: Final = 1.959964
_RESAMPLES: Final = 2000


@dataclass(frozen=True, eq=False)
class ScoredPairs:
    """Compared pairs.

    Attributes:
        similarity: (n,) float; -1 if a picture showed no face.
        mated: (n,) bool: the same person.
        first, second: (n,) int, the identity of each picture, 0 to m - 1.
    """

    similarity: NDArray[np.float64]
    mated: NDArray[np.bool_]
    first: NDArray[np.intp]
    second: NDArray[np.intp]


def threshold_at_fmr(non_mated: NDArray[np.float64], fmr: float) -> float:
    """The similarity above which at most a share `fmr` of the non-mated pairs lies."""
    descending = np.sort(non_mated)[::-1]
    return float(descending[min(int(fmr * len(descending)), len(descending) - 1)])


def tar_at_fmr(pairs: ScoredPairs, fmr: float) -> float:
    """The share of mated pairs above `threshold_at_fmr`; a picture without a face is a miss."""
    threshold = threshold_at_fmr(pairs.similarity[~pairs.mated], fmr)
    return float((pairs.similarity[pairs.mated] > threshold).mean())


def bootstrap_tar(pairs: ScoredPairs, fmr: float, seed: int = 0) -> Interval:
    """The interval of `tar_at_fmr`, by a percentile bootstrap over identities.

    Pairs that share a person are not independent; people are. Each draw takes m of the m
    people, with replacement (R. M. Bolle, N. K. Ratha, S. Pankanti, "Error analysis of pattern recognition
    systems - the subsets bootstrap", CVIU 93(1), 2004); a pair counts as often as its people were
    drawn: the product of both counts, or for a mated pair the one count. Each draw has its own
    threshold.
    """
    people = int(max(pairs.first.max(), pairs.second.max())) + 1
    drawn = drawn_people(people, _RESAMPLES, seed)
    order = np.argsort(-pairs.similarity[~pairs.mated], kind="stable")
    scores = pairs.similarity[~pairs.mated][order]
    others = pairs.first[~pairs.mated][order], pairs.second[~pairs.mated][order]
    mated_scores, persons = pairs.similarity[pairs.mated], pairs.first[pairs.mated]
    rates = []
    for counts in drawn:
        weights = counts[others[0]] * counts[others[1]]
        mated_weights = counts[persons]
        if weights.sum() == 0 or mated_weights.sum() == 0:
            continue
        above = np.cumsum(weights) > fmr * weights.sum()
        threshold = scores[int(np.argmax(above))]
        rates.append(mated_weights[mated_scores > threshold].sum() / mated_weights.sum())
    return Interval(*(float(bound) for bound in np.percentile(rates, [2.5, 97.5])))


def bootstrap_fmr(pairs: ScoredPairs, threshold: float, seed: int = 0) -> Interval:
    """The interval of the share of non-mated pairs above a threshold that does not depend on them; see `bootstrap_tar`."""
    people = int(max(pairs.first.max(), pairs.second.max())) + 1
    looks, hits = np.zeros((people, people)), np.zeros((people, people))
    ends = pairs.first[~pairs.mated], pairs.second[~pairs.mated]
    np.add.at(looks, ends, 1)
    np.add.at(hits, ends, pairs.similarity[~pairs.mated] > threshold)
    drawn = np.random.default_rng(seed).multinomial(
        people, np.full(people, 1 / people), size=_RESAMPLES
    )
    seen = ((drawn @ looks) * drawn).sum(1)
    rates = ((drawn @ hits) * drawn).sum(1)[seen > 0] / seen[seen > 0]
    return Interval(*(float(bound) for bound in np.percentile(rates, [2.5, 97.5])))


def median_of(values: Sequence[float]) -> tuple[float, Interval]:
    """The median of at least six values and its interval, whatever their distribution.

    The interval is of order statistics: a value lies below the median as often as a coin falls (W. R. Thompson,
    Ann. Math. Statist. 7, 1936).
    """
    ordered = sorted(values)
    count = len(ordered)
    below = 0.0
    outside = 0
    while below + math.comb(count, outside) / 2**count <= 0.025:
        below += math.comb(count, outside) / 2**count
        outside += 1
    if not outside:
        raise ValueError(f"{count} values are too few for an interval of their median")
    interval = Interval(ordered[outside - 1], ordered[count - outside])
    return float(np.median(ordered)), interval


def theil_sen(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, Interval]:
    """Slope of y over x and its interval: the median of all pairwise slopes.

    Robust against outliers, for noise of any distribution (P. K. Sen, JASA 63, 1968).
    """
    one, other = np.triu_indices(len(x), k=1)
    slopes = np.sort((y[other] - y[one]) / (x[other] - x[one]))
    count = len(x)
    reach = _Z95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((len(slopes) - reach) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + reach) / 2))
    return float(np.median(slopes)), Interval(float(slopes[low]), float(slopes[high]))
