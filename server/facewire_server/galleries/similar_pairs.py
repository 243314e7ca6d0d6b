"""Which people of a gallery resemble one another most: all pairs are compared, block by block, and the most similar ones kept."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Band", "Pair", "Pairs", "similar_pairs"]

_BLOCK_PEOPLE: Final = 2048
"""People of a block: their products with another block are 16 MiB. Measured with 30,000 people of 128 numbers: half the processor
time of 1024, and 4096 saves none."""

_NO_PAIR: Final = np.float32(-2)
"""Below any cosine: of a person with themselves, and of a pair that was counted."""


class Band(NamedTuple):
    """The similarities of one kind of pair, from `least` up to but not including `below`."""

    least: float
    below: float


class Pair(NamedTuple):
    """Two people, by their places in the gallery, the lower one first, and the cosine of their means."""

    similarity: float
    first: int
    second: int


class Pairs(NamedTuple):
    """The pairs of a band.

    Attributes:
        total: of all.
        listed: of the most similar ones, most similar first.
    """

    total: int
    listed: tuple[Pair, ...]


def similar_pairs(
    means: NDArray[np.float32],
    starts: NDArray[np.int64],
    bands: Sequence[Band],
    *,
    limit: int,
    progress: Callable[[float], None],
) -> list[Pairs]:
    """Compares each person with each other one.

    It takes the memory of two blocks of products, whatever the number of people.

    Args:
        means: (m, d) float32 of unit length, person by person.
        starts: (n + 1,) the first row of each of n people, each with one at least, and m.
        bands: of which pairs are wanted.
        limit: most pairs that are listed of a band.
        progress: takes the share that is done, 0 to 1, if there is more than one block.

    Returns:
        The pairs of each band. Two people of whom one is searched by several means have the similarity of the nearest two.
    """
    kept = [_MostSimilar(band, limit) for band in bands]
    least = min(band.least for band in bands)
    people = len(starts) - 1
    begins = range(0, people, _BLOCK_PEOPLE)
    products_done, products_all = 0, len(begins) * (len(begins) + 1) // 2
    for first in begins:
        for second in range(first, people, _BLOCK_PEOPLE):
            similarities = _of_blocks(means, starts, first, second)
            found = np.flatnonzero(similarities >= least)
            if len(found):
                rows, columns = np.divmod(found, similarities.shape[1])
                values = similarities.ravel()[found]
                for one in kept:
                    one.add(values, rows + first, columns + second)
            products_done += 1
            if products_all > 1:
                progress(products_done / products_all)
    return [one.pairs() for one in kept]


def _of_blocks(
    means: NDArray[np.float32], starts: NDArray[np.int64], first: int, second: int
) -> NDArray[np.float32]:
    """Returns (a, b): the similarities of the people of two blocks, each pair once."""
    left, right = (starts[at : at + _BLOCK_PEOPLE + 1] for at in (first, second))
    similarities = means[left[0] : left[-1]] @ means[right[0] : right[-1]].T
    for axis, rows in enumerate((left, right)):
        if rows[-1] - rows[0] >= len(rows):  # someone has two
            similarities = np.maximum.reduceat(similarities, rows[:-1] - rows[0], axis=axis)
    if first == second:
        similarities[np.tri(len(similarities), dtype=np.bool_)] = _NO_PAIR
    return similarities


class _MostSimilar:
    """The most similar pairs of a band that were seen, and the number of all."""

    def __init__(self, band: Band, limit: int) -> None:
        self._band = band
        self._limit = limit
        self._total = 0
        self._values = np.empty(0, np.float32)
        self._people = np.empty((0, 2), np.int64)

    def add(
        self, values: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> None:
        """Takes pairs, of which some may be of other bands."""
        inside = np.flatnonzero((values >= self._band.least) & (values < self._band.below))
        self._total += len(inside)
        # What cannot be listed is left out first: of a large gallery millions of pairs are in a band.
        if len(inside) > self._limit:
            nearest = np.argpartition(-values[inside], self._limit - 1)[: self._limit]
            inside = inside[nearest]
        people = np.stack([first[inside], second[inside]], axis=1)
        values = np.concatenate([self._values, values[inside]])
        people = np.concatenate([self._people, people])
        order = np.lexsort((people[:, 1], people[:, 0], -values))[: self._limit]
        self._values, self._people = values[order], people[order]

    def pairs(self) -> Pairs:
        """Returns what was kept."""
        listed = zip(self._values.tolist(), self._people.tolist(), strict=True)
        return Pairs(self._total, tuple(Pair(value, *people) for value, people in listed))
