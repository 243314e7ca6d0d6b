"""Measures the calibration of a model: how often two different people are how similar.

One picture of each person is a probe, and a template; each probe is compared with every other person's template. One picture, since
several of one person would count their likeness to others several times. Similarities are stated at false match rates of 1e-2, 1e-3, and so on,
as far as the comparisons reach.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.samples import Samples
from facewire_server.thresholds import Calibration, CalibrationPoint

__all__ = ["LEAST_PEOPLE", "Measured", "calibrated", "fmr_intervals", "one_picture_each"]

_LEAST_HITS: Final = 30
"""Comparisons that must reach a similarity for its rate to be stated: the interval of a rate of 30 is a factor of two wide. Chosen, not measured."""

LEAST_PEOPLE: Final = 200
"""People who are needed: with 174, 30 of their comparisons are one in a thousand, and a calibration has two rates at least."""

_MOST_PEOPLE: Final = 6_000
"""People who are compared, drawn at random among more: their arrays take 330 MB at most, mostly their similarities, twice. Chosen, not measured."""

_DRAWS: Final = 400
"""Resamples of the people. Chosen, not measured."""

_DECIMALS: Final = 4
"""Similarities are stated with this many: one ten-thousandth changes the rate by a fifth of a percent."""


class Measured(NamedTuple):
    """A calibration, and what it rests on.

    Attributes:
        calibration: its bounds are the upper ends of 95 % intervals, bootstrapped over people.
        people: who were compared.
        comparisons: of two different people.
        hits: comparisons that reach each point.
    """

    calibration: Calibration
    people: int
    comparisons: int
    hits: tuple[int, ...]


def one_picture_each(samples: Samples, seed: int) -> NDArray[np.intp]:
    """Returns the row of one picture of each person, drawn among those that may be searched for and enrolled; at most 6,000."""
    random = np.random.default_rng(seed)
    usable = np.flatnonzero(samples.is_searched & samples.is_enrolled)
    shuffled = random.permutation(usable)
    _, first = np.unique(samples.person[shuffled], return_index=True)
    rows = shuffled[first]
    return np.sort(random.permutation(rows)[:_MOST_PEOPLE])


def calibrated(probes: NDArray[np.float32], templates: NDArray[np.float32], seed: int) -> Measured:
    """Returns the calibration that these people give.

    Args:
        probes, templates: (n, d) float32 of unit length, of one picture of each person.
        seed: of the resamples.

    Raises:
        ValueError: fewer than `LEAST_PEOPLE` people, or similarities that are no calibration: all alike, or not rising.
    """
    count = len(probes)
    if count < LEAST_PEOPLE:
        raise ValueError(f"{count} people: a calibration needs {LEAST_PEOPLE} at least")
    similarities = probes @ templates.T
    others = similarities[~np.eye(count, dtype=np.bool_)]
    mean = others.mean(dtype=np.float64)
    # By parts: else all deviations take twice as much as the similarities.
    squares = (np.square(part - mean).sum() for part in np.array_split(others, count))
    spread = np.sqrt(sum(squares) / len(others))
    rates, reached = [], []
    rate = 1e-2
    while rate * len(others) >= _LEAST_HITS:
        rates.append(rate)
        quantile = np.quantile(others, 1 - rate, method="inverted_cdf", overwrite_input=True)
        reached.append(round(float(quantile), _DECIMALS))
        rate = float(f"{rate / 10:.0e}")
    hits = [int((others >= similarity).sum()) for similarity in reached]
    comparisons = len(others)
    del others  # before as much is taken again
    intervals = fmr_intervals(similarities, reached, seed)
    points = [
        CalibrationPoint(rate, similarity, float(f"{max(rate, high):.3g}"))
        for rate, similarity, (_, high) in zip(rates, reached, intervals, strict=True)
    ]
    made = Calibration.checked(
        round(float(mean), _DECIMALS), round(float(spread), _DECIMALS), points, rates[-1]
    )
    return Measured(made, count, comparisons, tuple(hits))


def fmr_intervals(
    similarities: NDArray[np.float32], at: list[float], seed: int
) -> list[tuple[float, float]]:
    """Returns the 95 % interval of the share of comparisons that reach each similarity.

    A bootstrap over people: all comparisons of a person who is drawn twice count twice.

    Args:
        similarities: (n, n) of n people's probes with n people's templates; of one person with themself they do not count.
        at: the similarities.
        seed: of the draws.
    """
    count, random = len(similarities), np.random.default_rng(seed)
    drawn = (np.bincount(random.integers(0, count, count), minlength=count) for _ in range(_DRAWS))
    weights = np.stack([each.astype(np.float32) for each in drawn])
    comparisons = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
    intervals = []
    hits = np.empty_like(similarities)
    for similarity in at:
        np.greater_equal(similarities, similarity, out=hits)
        np.fill_diagonal(hits, 0.0)
        rates = ((weights @ hits) * weights).sum(axis=1) / comparisons
        low, high = np.percentile(rates, [2.5, 97.5])
        intervals.append((float(low), float(high)))
    return intervals
