"""Keeps the errors of comparisons that lie farthest on the wrong side, of any number that are offered."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Compared", "WorstPairs"]

_KEPT: Final = 24
"""Errors of each kind that are listed. Chosen, not measured."""


class Compared(NamedTuple):
    """An error: two pictures, by their rows, and their similarity."""

    first: int
    second: int
    similarity: float


class WorstPairs:
    """The most (sign -1) or the least (sign 1) similar pairs."""

    def __init__(self, sign: float) -> None:
        self._sign = sign
        self._kept: list[Compared] = []

    def offer(
        self, first: NDArray[np.intp], second: NDArray[np.intp], similarity: NDArray[np.float32]
    ) -> None:
        """Takes pairs as three columns, (n,) each."""
        order = np.argsort(self._sign * similarity, kind="stable")[:_KEPT]
        self._kept += [
            Compared(int(first[row]), int(second[row]), float(similarity[row])) for row in order
        ]
        self._kept = sorted(self._kept, key=lambda each: self._sign * each.similarity)[:_KEPT]

    def listed(self) -> list[Compared]:
        """Returns them, the worst first."""
        return self._kept
