"""The error rates that are wanted, from which thresholds follow."""

from dataclasses import dataclass
from typing import Final

from facewire_server.thresholds.calibration import Calibration
from facewire_server.thresholds.likeness import NO_PAIRS, GalleryPairs
from facewire_server.thresholds.rule import gallery_rule
from facewire_server.thresholds.values import Threshold, ThresholdSource

__all__ = ["MAX_FMR", "MAX_FPIR", "ErrorRates"]

MAX_FPIR: Final = 0.003
"""The default of `max_fpir`: three of a thousand looks at people who are not enrolled give a name."""

MAX_FMR: Final = 1e-4
"""The default of `compare_max_fmr`: one of ten thousand comparisons of two different people matches. SFace's threshold is .426 then."""


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Wanted error rates, and the model's calibration, which turns them into thresholds.

    Attributes:
        calibration: of the model.
        max_fpir: of a search in a gallery: share of looks at people who are not enrolled that give a name, (0, 0.5].
        max_fmr: of a comparison of two pictures: share of pairs of different people that match, (0, 0.5]. It holds for
            each comparison of a search, too: no name is easier to get than "the same person" of two pictures, else poor pictures, which
            resemble each other whoever they show, would get names in small galleries.
    """

    calibration: Calibration
    max_fpir: float = MAX_FPIR
    max_fmr: float = MAX_FMR

    def threshold_among(self, identity_count: int, pairs: GalleryPairs = NO_PAIRS) -> Threshold:
        """Returns the threshold of a gallery of this number of identities, who resemble one another as `pairs` say."""
        rule = gallery_rule(self.calibration, self.max_fpir, identity_count, pairs)
        # The same for the means of several pictures, which resemble everyone more than one picture does.
        like_these = GalleryPairs(cohesion=pairs.cohesion)
        least = gallery_rule(self.calibration, self.max_fmr, 1, like_these).threshold
        return Threshold(max(least, rule.threshold), ThresholdSource.ERROR_RATE, rule)

    def threshold_of_pair(self) -> Threshold:
        """Returns the threshold of two pictures that are compared: who else there is says nothing of them."""
        rule = gallery_rule(self.calibration, self.max_fmr, 1)
        return Threshold(rule.threshold, ThresholdSource.ERROR_RATE, rule)
