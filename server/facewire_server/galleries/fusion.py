"""A person is the mean of the pictures that agree with each other.

Averaged, what is peculiar to one picture cancels, and a person has one chance to be taken for a stranger instead of
one for each picture. A picture of another person among them would let that person in, so one that does not resemble the mean of the others
is left out.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_AGREEMENT", "Fused", "fuse"]

LEAST_AGREEMENT: Final = 0.3
"""Cosine of a template to the mean of the others below which it is taken for another person's: one comparison of different
people in 90 reaches it."""


class Fused(NamedTuple):
    """A mean that a person is searched by.

    Attributes:
        mean: (d,) float32 of unit length.
        rows: of the templates in it, ascending.
    """

    mean: NDArray[np.float32]
    rows: tuple[int, ...]


def fuse(templates: NDArray[np.float32]) -> tuple[Fused, ...]:
    """Returns what a person is searched by: one mean, or two templates that disagree, since it is unknown which is wrong.

    Of three and more, the one that agrees least is left out, until all that are left agree. The same templates in the same
    order always have the same means, to the last bit.

    Args:
        templates: (n, d) float32 of unit length, the oldest first.
    """
    rows = list(range(len(templates)))
    exact = templates.astype(np.float64)
    while len(rows) > 1:
        agreement = _agreement(exact[rows])
        worst = int(agreement.argmin())
        if agreement[worst] >= LEAST_AGREEMENT:
            break
        if len(rows) == 2:
            return tuple(Fused(templates[row], (row,)) for row in rows)
        del rows[worst]
    if len(rows) == 1:
        return (Fused(templates[rows[0]], tuple(rows)),)
    if not rows:
        return ()
    total = exact[rows].sum(axis=0)
    return (Fused((total / np.linalg.norm(total)).astype(np.float32), tuple(rows)),)


def _agreement(templates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the cosine of each of several templates to the mean of the others, (n,)."""
    others = templates.sum(axis=0) - templates
    lengths = np.linalg.norm(others, axis=1)
    products = (templates * others).sum(axis=1)
    # Others that cancel out have no direction to agree with.
    return np.where(lengths > 1e-6, products / np.maximum(lengths, 1e-6), -1.0)
