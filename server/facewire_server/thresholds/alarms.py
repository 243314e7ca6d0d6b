"""The rate of false names, said as an operator sees it: false alarms a month."""

from typing import Final

__all__ = ["false_names_a_month", "fpir_of_alarms"]

_DAYS_A_MONTH: Final = 365.25 / 12
"""Days of a month, on average."""

MAX_FPIR: Final = 0.5
"""Above it a name says nothing."""


def fpir_of_alarms(alarms_a_month: float, strangers_a_day: float) -> float:
    """Returns the `max_fpir` that gives at most this number of false alarms a month, on average.

    Args:
        alarms_a_month: > 0.
        strangers_a_day: visits of people who are not enrolled, > 0.

    Returns:
        In (0, 0.5]: if more alarms are allowed than that gives, 0.5.

    Raises:
        ValueError: a number is not positive.
    """
    if not (alarms_a_month > 0 and strangers_a_day > 0):
        raise ValueError("alarms a month and strangers a day must be positive")
    return min(MAX_FPIR, alarms_a_month / (strangers_a_day * _DAYS_A_MONTH))


def false_names_a_month(fpir: float, strangers_a_day: float) -> float:
    """Returns the false alarms a month, on average, of a rate."""
    return fpir * strangers_a_day * _DAYS_A_MONTH
