"""The threshold of a gallery: a stranger must look more like someone than the gallery's people look like one another.

A stranger is compared with each of N identities, so the wanted rate of false names for a look, divided by N, is the rate for
one comparison. How much different people resemble each other depends on who they are: among people of one group more
than among all. The gallery's own pairs tell it; a small gallery has few, so they count by N / (N + 20).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from facewire_server.thresholds.calibration import Calibration, FalseMatchRate

__all__ = [
    "LEAST_IDENTITIES",
    "NO_PAIRS",
    "PROBABLE_DOUBLE",
    "GalleryPairs",
    "GalleryRule",
    "gallery_rule",
]

PROBABLE_DOUBLE: Final = 0.5
"""Two identities that are so similar are probably one person under two names, and say nothing of different people. One
comparison of different people in 400,000 reaches it."""

LEAST_IDENTITIES: Final = 10
"""Fewer people say too little of their like: mean and spread were found to be right from about this number on."""

_SHRINKAGE_IDENTITIES: Final = 20
"""The number of identities whose own pairs count as much as the model's calibration (measured: 20, 50 and 100 were compared)."""


class GalleryPairs(NamedTuple):
    """How much the people of a gallery resemble one another.

    Attributes:
        mean, spread: of the similarities between a template and another person's mean template: their mean and
            standard deviation.
        identity_count: people whose pairs were compared; 0 = none.
    """

    mean: float = 0.0
    spread: float = 0.0
    identity_count: int = 0


NO_PAIRS: Final = GalleryPairs()
"""Of a gallery in which no two people can be compared."""


@dataclass(frozen=True, slots=True)
class GalleryRule:
    """The rule of one gallery at one revision: its threshold, and what it rests on.

    Attributes:
        threshold: lowest similarity of a match, in (0, 1].
        max_fpir: the rate of false names that was wanted, for one look at a person who is not enrolled.
        comparison_count: N, the comparisons of a search.
        pairs: of this gallery.
        shrinkage: the weight of the gallery's own pairs, [0, 1); the model's calibration has the rest.
        mean, spread: m and s, after shrinkage.
        calibration: of the model.
    """

    threshold: float
    max_fpir: float
    comparison_count: int
    pairs: GalleryPairs
    shrinkage: float
    mean: float
    spread: float
    calibration: Calibration

    @property
    def is_extrapolated(self) -> bool:
        """Whether the threshold rests on a rate beyond the calibration's data."""
        return self.calibration.is_extrapolated(self.max_fpir / max(1, self.comparison_count))

    def fmr_at(self, similarity: float) -> FalseMatchRate:
        """Returns how often a comparison of two different people, such as this gallery's, reaches a similarity."""
        z = (similarity - self.mean) / self.spread
        return self.calibration.fmr_at(self.calibration.mean + z * self.calibration.spread)


def gallery_rule(
    calibration: Calibration,
    max_fpir: float,
    comparison_count: int,
    pairs: GalleryPairs = NO_PAIRS,
) -> GalleryRule:
    """Returns the rule of a gallery: t = m + s * z(max_fpir / N).

    z is the calibration's similarity at that rate, in spreads from its mean.

    Args:
        calibration: of the model.
        max_fpir: wanted rate of false names for a look at a person who is not enrolled, in (0, 0.5].
        comparison_count: N >= 0: identities that a search compares.
        pairs: of the gallery; without them the calibration's mean and spread are in force.
    """
    count = max(1, comparison_count)
    z = (calibration.similarity_at(max_fpir / count) - calibration.mean) / calibration.spread
    weight = 0.0
    if pairs.identity_count >= LEAST_IDENTITIES and pairs.spread > 0:
        weight = pairs.identity_count / (pairs.identity_count + _SHRINKAGE_IDENTITIES)
    mean = weight * pairs.mean + (1 - weight) * calibration.mean
    spread = weight * pairs.spread + (1 - weight) * calibration.spread
    return GalleryRule(
        threshold=min(1.0, mean + spread * z),
        max_fpir=max_fpir,
        comparison_count=comparison_count,
        pairs=pairs,
        shrinkage=weight,
        mean=mean,
        spread=spread,
        calibration=calibration,
    )
