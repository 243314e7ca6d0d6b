"""The mean cost of the latest turns, of which those of nearly no work do not count."""

from typing import Final

__all__ = ["LEAST_S", "mean_after"]

LEAST_S: Final = 0.001
"""Least that a turn is charged, seconds: one that is refused at once costs the event loop a turn, too. Chosen, not
measured."""


def mean_after(
    mean_s: float | None, latest_s: float, weight: float, *, by_seconds: bool = False
) -> float | None:
    """Returns the mean of the costs after one more turn.

    A turn that was not used, or failed at once, says nothing about the cost of a picture and is left out: a broken camera
    has many of these. `by_seconds` keeps the mean of a costly stream that sends cheap pictures between costly ones.

    Args:
        mean_s: of the turns before, seconds; None before the first.
        latest_s: cost of the latest turn, seconds.
        weight: of the latest turn, 0 to 1.
        by_seconds: whether a turn below the mean has only that part of the weight.
    """
    if latest_s < LEAST_S:
        return mean_s
    if mean_s is None:
        return latest_s
    if by_seconds:
        weight *= min(1.0, latest_s / mean_s)
    return mean_s + weight * (latest_s - mean_s)
