"""Similarities as CompreFace's clients read them: made from the server's decision, not from the cosine alone.

Its clients have bounds of their own: Viseron takes a name from .5, Double Take from .6, and calls a face unknown below .4. A cosine means
something else: at .5 two faces are almost always one person's, at .3 almost never. So the decision chooses the range, and the cosine the place in it.
"""

from typing import Final

__all__ = ["KNOWN_LEAST", "OTHER_MOST", "of_known", "of_other"]

KNOWN_LEAST: Final = 0.60
"""Similarity of a face that was recognized, at least: what Double Take asks of a match by default."""

OTHER_MOST: Final = 0.39
"""Similarity of any other face, at most: below .4, under which Double Take calls a face unknown, also after rounding."""

_DIGITS: Final = 5
"""Decimal places, as CompreFace has."""


def of_known(cosine: float) -> float:
    """Returns the similarity of two faces that were found to be one person's. Range [.60, 1]; it grows with the cosine."""
    return round(KNOWN_LEAST + (1 - KNOWN_LEAST) * _share(cosine), _DIGITS)


def of_other(cosine: float) -> float:
    """Returns the similarity of any other two faces. Range [0, .39]; it grows with the cosine."""
    return round(OTHER_MOST * _share(cosine), _DIGITS)


def _share(cosine: float) -> float:
    return min(max(cosine, 0.0), 1.0)
