"""From which similarity on two people of a gallery are probably one person under two names."""

from collections.abc import Callable
from functools import partial
from statistics import NormalDist
from typing import Final

__all__ = ["LEAST_DOUBLE", "probable_double", "probable_double_of_normal"]

LEAST_DOUBLE: Final = 0.5
"""Less similar people are never taken for one. Of SFace one comparison of different people in 350,000 reaches it."""

_MOST_DOUBLE: Final = 0.9
"""More similar people are always taken for one: of SFace, two pictures of one moment. Chosen, not measured."""


def probable_double(people: int, similarity_at: Callable[[float], float]) -> float:
    """Returns the similarity that one pair of this number of different people is expected to reach by chance, in [0.5, 0.9].

    Args:
        people: who are compared, each with each other one.
        similarity_at: returns the similarity that a share of pairs of different people, in (0, 0.5], reaches.
    """
    pairs = people * (people - 1) // 2
    if pairs < 2:
        return LEAST_DOUBLE
    return min(_MOST_DOUBLE, max(LEAST_DOUBLE, similarity_at(1 / pairs)))


def probable_double_of_normal(people: int, mean: float, spread: float) -> float:
    """Returns `probable_double` where no calibration is at hand: as if similarities were normally distributed.

    Args:
        people: who are compared.
        mean, spread: of the similarities of different people; the spread > 0.
    """
    return probable_double(people, partial(_similarity_at, NormalDist(mean, spread)))


def _similarity_at(normal: NormalDist, share: float) -> float:
    return normal.inv_cdf(1 - share)
