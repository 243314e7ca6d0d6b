"""How much different people resemble one another: as the calibration's, and as a gallery's own pairs say.

Among people of one group it is more than among all, and the gallery's pairs tell it. A small gallery has few pairs, so they count by
N / (N + 20), and the calibration has the rest. The calibration is of single pictures. A person who is searched by the mean of
several resembles everyone more: the similarity to the mean is the mean similarity to its pictures, divided by the length that the mean
had (its cohesion). That raises m. It leaves s as it was, since what is peculiar to a picture cancels: both were measured
(`python -m bench.open_set`), and the tail, counted in spreads, is the same.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from facewire_server.thresholds.calibration import Calibration, FalseMatchRate

__all__ = ["LEAST_IDENTITIES", "NO_PAIRS", "GalleryPairs", "Likeness", "likeness"]

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
        cohesion: harmonic mean of the lengths that the mean templates had before they were normalized, (0, 1]; 1 = each is of one picture.
    """

    mean: float = 0.0
    spread: float = 0.0
    identity_count: int = 0
    cohesion: float = 1.0


NO_PAIRS: Final = GalleryPairs()
"""Of a gallery in which no two people can be compared, with one picture of each."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The distribution of similarities between a face and the mean template of someone else, in one gallery.

    Attributes:
        calibration: of the model, whose tail it has.
        pairs: of the gallery.
        shrinkage: the weight of the gallery's own pairs, [0, 1); the calibration has the rest.
        mean, spread: m and s, after shrinkage.
    """

    calibration: Calibration
    pairs: GalleryPairs
    shrinkage: float
    mean: float
    spread: float

    def similarity_at(self, fmr: float) -> float:
        """Returns the similarity that this share of comparisons reaches: m + s * z.

        z is the calibration's similarity at that rate, in spreads from its mean. The result may be above 1.
        """
        z = (self.calibration.similarity_at(fmr) - self.calibration.mean) / self.calibration.spread
        return self.mean + self.spread * z

    def fmr_at(self, similarity: float) -> FalseMatchRate:
        """Returns how often a comparison of two different people reaches a similarity."""
        z = (similarity - self.mean) / self.spread
        return self.calibration.fmr_at(self.calibration.mean + z * self.calibration.spread)

    def between_means(self) -> "Likeness":
        """Returns the distribution of similarities between two people's mean templates."""
        return replace(self, mean=self.mean / self.pairs.cohesion)


def likeness(calibration: Calibration, pairs: GalleryPairs = NO_PAIRS) -> Likeness:
    """Returns how much people of a gallery resemble one another.

    Args:
        calibration: of the model.
        pairs: of the gallery; without them the calibration's mean and spread are in force.
    """
    weight = 0.0
    if pairs.identity_count >= LEAST_IDENTITIES and pairs.spread > 0:
        weight = pairs.identity_count / (pairs.identity_count + _SHRINKAGE_IDENTITIES)
    return Likeness(
        calibration=calibration,
        pairs=pairs,
        shrinkage=weight,
        mean=weight * pairs.mean + (1 - weight) * calibration.mean / pairs.cohesion,
        spread=weight * pairs.spread + (1 - weight) * calibration.spread,
    )
