"""The threshold of a gallery: a stranger must look more like someone than the gallery's people look like one another.

A stranger is compared with each of N identities, so the wanted rate of false names for a look, divided by N, is the rate for
one comparison.
"""

from dataclasses import dataclass

from facewire_server.thresholds.calibration import Calibration
from facewire_server.thresholds.likeness import NO_PAIRS, GalleryPairs, Likeness, likeness

__all__ = ["GalleryRule", "gallery_rule"]


@dataclass(frozen=True, slots=True)
class GalleryRule:
    """The rule of one gallery at one revision: its threshold, and what it rests on.

    Attributes:
        threshold: lowest similarity of a match, in (0, 1].
        max_fpir: the rate of false names that was wanted, for one look at a person who is not enrolled.
        comparison_count: N, the comparisons of a search.
        likeness: how much the gallery's people resemble one another.
    """

    threshold: float
    max_fpir: float
    comparison_count: int
    likeness: Likeness

    @property
    def is_extrapolated(self) -> bool:
        """Whether the threshold rests on a rate beyond the calibration's data."""
        rate = self.max_fpir / max(1, self.comparison_count)
        return self.likeness.calibration.is_extrapolated(rate)


def gallery_rule(
    calibration: Calibration,
    max_fpir: float,
    comparison_count: int,
    pairs: GalleryPairs = NO_PAIRS,
) -> GalleryRule:
    """Returns the rule of a gallery: t = m + s * z(max_fpir / N).

    Args:
        calibration: of the model.
        max_fpir: wanted rate of false names for a look at a person who is not enrolled, in (0, 0.5].
        comparison_count: N >= 0: identities that a search compares.
        pairs: of the gallery.
    """
    found = likeness(calibration, pairs)
    similarity = found.similarity_at(max_fpir / max(1, comparison_count))
    return GalleryRule(min(1.0, similarity), max_fpir, comparison_count, found)
