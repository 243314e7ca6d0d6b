"""The table of thresholds by the number of identities in a gallery.

A probe is compared with every identity, so among more people a stranger is more likely to resemble
one. A table of steps states the threshold that holds this likelihood.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

__all__ = [
    "EVERY_SIZE",
    "ThresholdStep",
    "checked_steps",
    "threshold_for",
]


class ThresholdStep(NamedTuple):
    """The threshold for a gallery of this number of identities."""

    identity_count: int
    threshold: float


EVERY_SIZE: Final = (ThresholdStep(1, 0.42),)
"""The table of a model contract that states none: one threshold for every size. It is measured for SFace and one
comparison (decision 10); for another model it is a guess, and the server's first log entry says so."""


def checked_steps(steps: Iterable[tuple[int, float]]) -> tuple[ThresholdStep, ...]:
    """Returns the steps of a table.

    Raises:
        ValueError: there is no step, a count is not above the one before it (the first: below 1), or a
            threshold is below the one before it, or not in (0, 1].
    """
    checked: list[ThresholdStep] = []
    last = ThresholdStep(0, 0.0)
    for count, threshold in steps:
        if not (count > last.identity_count and last.threshold <= threshold <= 1 and threshold > 0):
            raise ValueError(f"the threshold {threshold} for {count} identities is out of order")
        last = ThresholdStep(int(count), float(threshold))
        checked.append(last)
    if not checked:
        raise ValueError("the table of thresholds has no step")
    return tuple(checked)


def threshold_for(steps: Sequence[ThresholdStep], identity_count: int) -> float:
    """Returns the threshold for a gallery of this number of identities.

    Between two steps it is interpolated over the logarithm of the count: the threshold of a wanted
    false match rate is close to linear in the logarithm of that rate, which must fall as the count
    grows. Below the first step it is the first one's. Above the last it goes on as between the last
    two, at most to 1.

    Args:
        steps: ascending, see `checked_steps`.
        identity_count: >= 0.
    """
    first = steps[0]
    if len(steps) == 1 or identity_count <= first.identity_count:
        return first.threshold
    upper = next(
        (row for row in range(1, len(steps)) if identity_count <= steps[row].identity_count),
        len(steps) - 1,
    )
    low, high = steps[upper - 1], steps[upper]
    share = math.log(identity_count / low.identity_count) / math.log(
        high.identity_count / low.identity_count
    )
    return min(1.0, low.threshold + share * (high.threshold - low.threshold))
