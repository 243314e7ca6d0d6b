"""The error rates that were wanted, beside those that were measured."""

from enum import Enum
from typing import NamedTuple

from facewire_server.evaluation.intervals import Rate

__all__ = ["Against", "Wanted", "against", "at_most"]


class Wanted(NamedTuple):
    """The error rates that thresholds follow from.

    Attributes:
        fpir: most looks at strangers that may give a name, (0, 0.5]; None = a similarity was set, or the model has no calibration.
        fmr: most comparisons of two people that may match, as `fpir`.
    """

    fpir: float | None = None
    fmr: float | None = None


class Against(Enum):
    """Where the interval of a measured rate lies, seen from the wanted one."""

    ABOVE = "the whole interval lies above"
    AROUND = "within the interval"
    BELOW = "the whole interval lies below"


def against(rate: Rate, wanted: float) -> Against:
    """Compares a measured rate with the wanted one."""
    low, high = rate.interval()
    if low > wanted:
        return Against.ABOVE
    return Against.AROUND if high > wanted else Against.BELOW


def at_most(wanted: float) -> str:
    """Returns a wanted rate in percent, as it was set."""
    return f"at most {100 * wanted:g} %"
