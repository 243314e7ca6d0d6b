"""What a flow's turns cost: the mean of the latest ones, and the seconds from which they are costly beside others."""

from collections.abc import Iterable
from typing import Final

__all__ = ["LEAST_S", "costly_from_s", "mean_after"]

LEAST_S: Final = 0.001
"""Least that a turn is charged, seconds: one that is refused at once costs the event loop a turn, too. Chosen, not
measured."""

_COSTLY: Final = 4.0
"""A stream is costly whose pictures take this many times those of the cheapest open stream; not the mean's, which a few costly
streams raise until none of them is costly. Chosen, not measured: a frame of 12 megapixels takes less than that beside
one of 1080p, as detection costs the same."""

_LEAST_COSTLY_S: Final = 0.2
"""Seconds up to which no picture is costly, so that no number of tiny pictures makes others so: who waits for its end waits
no longer than for a crowded frame. Chosen, not measured."""


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


def costly_from_s(means_s: Iterable[float | None]) -> float | None:
    """Returns the seconds above which a mean is costly; None if there is none to compare with.

    Args:
        means_s: of the open streams, seconds; None before the first picture.
    """
    least_s = min((mean_s for mean_s in means_s if mean_s is not None), default=None)
    return None if least_s is None else max(_COSTLY * least_s, _LEAST_COSTLY_S)
