"""The calibration of a model: how often two different people are at least so similar.

The false match rate (FMR) of a similarity was measured on people of one collection. In its body the distribution is close
to a normal one, in its tail it is not: there the similarity is close to linear in the logarithm of the rate. Beyond the
data the last line goes on, and what lies there is called extrapolated.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, NamedTuple

__all__ = ["Calibration", "CalibrationPoint", "FalseMatchRate"]

_NORMAL: Final = NormalDist()

_LEAST_FMR: Final = 1e-300
"""Below it a float's logarithm is no number that means anything."""


class CalibrationPoint(NamedTuple):
    """What was measured of one similarity.

    Attributes:
        fmr: share of comparisons of two different people that reach the similarity, in (0, 0.5).
        similarity: cosine, in (0, 1].
        fmr_bound: upper end of the 95 % interval of `fmr`, people as the unit; where too few comparisons reach the similarity for an
            interval, a greater number that was chosen (of SFace at 1e-6 and 1e-7).
    """

    fmr: float
    similarity: float
    fmr_bound: float


class FalseMatchRate(NamedTuple):
    """The estimated false match rate of a similarity.

    Attributes:
        value: the estimate, in [0, 1].
        bound: the estimate's upper bound, in [0, 1].
        is_extrapolated: whether it lies beyond the data.
    """

    value: float
    bound: float
    is_extrapolated: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """The distribution of similarities of two different people, for one model contract.

    Attributes:
        mean, spread: of all comparisons: their mean and standard deviation.
        points: of the tail, at least two, rarer ones later.
        measured_to_fmr: the rarest rate that the data reaches.
    """

    mean: float
    spread: float
    points: tuple[CalibrationPoint, ...]
    measured_to_fmr: float

    @classmethod
    def checked(
        cls,
        mean: float,
        spread: float,
        points: Iterable[tuple[float, float, float]],
        measured_to_fmr: float,
    ) -> "Calibration":
        """Returns a calibration of numbers that may be anything.

        Raises:
            ValueError: a number is not finite or out of its range, there are fewer than two points, or a rarer one has a
                similarity that is not greater.
        """
        checked = tuple(CalibrationPoint(*map(float, point)) for point in points)
        last = CalibrationPoint(0.5, mean, 1.0)
        for point in checked:
            if not (0 < point.fmr < last.fmr and last.similarity < point.similarity <= 1):
                raise ValueError(f"the calibration is out of order at FMR {point.fmr}")
            if not point.fmr <= point.fmr_bound <= last.fmr_bound:
                raise ValueError(f"the bound of FMR {point.fmr} is none")
            last = point
        if len(checked) < 2:
            raise ValueError("the calibration has fewer than two points")
        if not (0 < spread < 1 and -1 < mean < 1 and 0 < measured_to_fmr < 0.5):
            raise ValueError("the calibration's mean, spread or measured rate is out of range")
        return cls(float(mean), float(spread), checked, float(measured_to_fmr))

    def similarity_at(self, fmr: float) -> float:
        """Returns the similarity that this share of comparisons of different people reaches.

        Args:
            fmr: in (0, 0.5]; a similarity may be above 1 for a rate that no similarity has.
        """
        first = self.points[0]
        if fmr >= first.fmr:
            return self.mean + self._body * _NORMAL.inv_cdf(1 - fmr)
        low, high = self._line_at(bisect_left(self.points, -fmr, key=lambda point: -point.fmr))
        share = math.log(fmr / low.fmr) / math.log(high.fmr / low.fmr)
        return low.similarity + share * (high.similarity - low.similarity)

    def fmr_at(self, similarity: float) -> FalseMatchRate:
        """Returns the false match rate of a similarity; the inverse of `similarity_at`, also below the mean."""
        first = self.points[0]
        if similarity <= first.similarity:
            value = _NORMAL.cdf((self.mean - similarity) / self._body)
            return FalseMatchRate(value, min(1.0, value * first.fmr_bound / first.fmr), False)
        low, high = self._line_at(
            bisect_left(self.points, similarity, key=lambda point: point.similarity)
        )
        share = (similarity - low.similarity) / (high.similarity - low.similarity)
        value = max(_LEAST_FMR, low.fmr * (high.fmr / low.fmr) ** share)
        # The uncertainty grows along the line as the rate falls, and goes on to grow beyond the data.
        low_factor, high_factor = low.fmr_bound / low.fmr, high.fmr_bound / high.fmr
        factor = low_factor * (high_factor / low_factor) ** share
        return FalseMatchRate(
            value, min(1.0, value * max(1.0, factor)), self.is_extrapolated(value)
        )

    def is_extrapolated(self, fmr: float) -> bool:
        """Whether a rate lies beyond the data."""
        return fmr < self.measured_to_fmr * (1 - 1e-9)

    @property
    def _body(self) -> float:
        """The spread of the normal distribution that meets the first point: above it there are no others."""
        first = self.points[0]
        return (first.similarity - self.mean) / _NORMAL.inv_cdf(1 - first.fmr)

    def _line_at(self, row: int) -> tuple[CalibrationPoint, CalibrationPoint]:
        """Returns the two points between which a value lies that belongs before the point of this row; beyond all, the last two."""
        upper = min(max(row, 1), len(self.points) - 1)
        return self.points[upper - 1], self.points[upper]
