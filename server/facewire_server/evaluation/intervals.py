"""Error rates with intervals: a bootstrap over people, for events of one person or of two."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CONFIDENCE",
    "AllAgainstAll",
    "Counts",
    "Interval",
    "OfPairs",
    "OfPeople",
    "Rate",
    "bootstrap_share",
    "drawn_people",
    "rate",
    "wilson",
]

CONFIDENCE: Final = 0.95
"""Of an interval that is reported."""

_DRAWS: Final = 4000
"""Resamples: the gate asks for quantiles of about .001, in which four of them lie. Chosen, not measured."""

_BLOCK: Final = 100
"""Resamples that are weighted at a time, so that 100,000 pairs of people take 40 MB and not 1.6 GB. Chosen, not measured."""


class Interval(NamedTuple):
    """A confidence interval, of 95 % if nothing else is said."""

    low: float
    high: float

    def __format__(self, spec: str) -> str:
        return f"{self.low:{spec}}–{self.high:{spec}}"


class Counts(Protocol):
    """How often something happened, by whom it happened to."""

    def total(self) -> int:
        """Returns the count over all people."""
        ...

    def of_draws(self, draws: NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns the count of each resample, (b,): people count as often as they were drawn.

        Args:
            draws: (b, m), how often each of m people was drawn.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class OfPeople:
    """Events of one person each; `counts` is (m,)."""

    counts: NDArray[np.int64]

    def total(self) -> int:
        """See `Counts`."""
        return int(self.counts.sum())

    def of_draws(self, draws: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Counts`."""
        return (draws @ self.counts.astype(np.float32)).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class OfPairs:
    """Events between two people each; one counts by the product of how often its two people were drawn.

    Attributes:
        first, second: (e,) the two people of each event, 0 to m - 1; of an event of one person both are this person, who counts once.
        counts: (e,) how often.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    counts: NDArray[np.int64]

    def total(self) -> int:
        """See `Counts`."""
        return int(self.counts.sum())

    def of_draws(self, draws: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Counts`."""
        others = np.where((self.first == self.second)[None, :], 1.0, draws[:, self.second])
        return np.asarray((draws[:, self.first] * others) @ self.counts, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class AllAgainstAll:
    """Each picture of a person against each picture of every other person; `counts` is (m,), pictures of each."""

    counts: NDArray[np.int64]

    def total(self) -> int:
        """See `Counts`."""
        return int((self.counts.sum() ** 2 - (self.counts**2).sum()) // 2)

    def of_draws(self, draws: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Counts`."""
        weights = draws.astype(np.float64) * self.counts
        return np.asarray((weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)) / 2, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """A share of looks or comparisons, and how it varies between resamples of the people.

    Attributes:
        hits, looks: the share is the one divided by the other.
        drawn: (b,) the share in each resample that has looks.
    """

    hits: int
    looks: int
    drawn: NDArray[np.float64]

    @property
    def share(self) -> float:
        """In [0, 1]; NaN without looks."""
        return self.hits / self.looks if self.looks else math.nan

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Returns the wider of the bootstrap's percentiles and Wilson's interval on each side.

        The bootstrap knows that looks at one person depend on each other. Where no error was seen its interval is a
        point, and Wilson's is still a bound. A resample that draws both people of a false name again counts it more often than its
        look, so that its share may lie above 1: the interval ends there.
        """
        least = wilson(self.hits, self.looks, confidence)
        if not len(self.drawn):
            return least
        beyond = 50 * (1 - confidence)
        low, high = np.percentile(self.drawn, [beyond, 100 - beyond])
        return Interval(min(least.low, float(low)), min(1.0, max(least.high, float(high))))


def drawn_people(people: int, draws: int = _DRAWS, seed: int = 0) -> NDArray[np.float32]:
    """Draws m of m people with replacement, again and again.

    R. M. Bolle, N. K. Ratha, S. Pankanti, "Error analysis of pattern recognition systems - the subsets bootstrap",
    CVIU 93(1), 2004; for events of two people both count: A. B. Owen, "The pigeonhole bootstrap", Ann. Appl. Stat. 1(2), 2007.

    Returns:
        (draws, people): how often each was drawn.
    """
    generator = np.random.default_rng(seed)
    return generator.multinomial(people, np.full(people, 1 / people), size=draws).astype(np.float32)


def rate(hits: Counts, looks: Counts, draws: NDArray[np.float32]) -> Rate:
    """Divides one count by another, in the data and in each resample of `drawn_people`."""
    shares = []
    for start in range(0, len(draws), _BLOCK):
        block = draws[start : start + _BLOCK]
        looked = looks.of_draws(block)
        seen = looked > 0
        shares.append(hits.of_draws(block)[seen] / looked[seen])
    return Rate(hits.total(), looks.total(), np.concatenate(shares))


def wilson(hits: int, count: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a share (E. B. Wilson, JASA 22, 1927): also right for 0 of n."""
    if count == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, z2 = hits / count, z**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = z / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    low = max(0.0, middle - half) if hits else 0.0  # not off by a rounding
    return Interval(low, min(1.0, middle + half) if hits < count else 1.0)


def bootstrap_share(
    hits: NDArray[np.float64], looks: NDArray[np.float64], seed: int = 0
) -> Interval:
    """The percentiles of a share over people; see `drawn_people`.

    Args:
        hits, looks: (m,) of each person; the share is the sum of the one divided by that of the other.
        seed: of the draws.
    """
    draws = drawn_people(len(looks), seed=seed)
    shares = (draws @ hits) / np.maximum(draws @ looks, 1)
    return Interval(*(float(bound) for bound in np.percentile(shares, [2.5, 97.5])))
