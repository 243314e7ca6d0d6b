"""Verifies the model of presentation attacks: drawn pictures must have the known log-odds.

What the drawings show is of no importance: they are the canary's, whose bytes are the same on every machine. Channels that are swapped, a mirrored picture, or other
weights have other log-odds.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.attacks import AttackDetector
from facewire_server.pipeline.ports import Model
from facewire_server.proof import canary
from facewire_server.types import SURROUNDINGS_PX

__all__ = ["GOLDEN_LOG_ODDS", "pictures", "prove"]

GOLDEN_LOG_ODDS: Final = np.array([1.29127, 2.26843, 2.13116, 2.16726], np.float32)
"""Of the published TensorFlow Lite file, run as it is (tests/serving/test_presentation_attack.py)."""

_MOST_APART: Final = 0.01
"""The largest difference. Chosen, not measured: both engines differ by less than 0.0001, swapped channels by more than 1."""


def pictures() -> NDArray[np.uint8]:
    """Returns the middle of each canary crop, (4, 80, 80, 3) uint8 RGB."""
    crops = canary.crops()
    edge = (crops.shape[1] - SURROUNDINGS_PX) // 2
    return crops[:, edge : edge + SURROUNDINGS_PX, edge : edge + SURROUNDINGS_PX]


async def prove(model: Model) -> None:
    """Shows the drawings to a model of the signature `PRESENTATION_ATTACK`.

    Raises:
        ModelUnavailable: the model does not answer, or has other log-odds.
        TimedOut: it has not answered before the deadline.
    """
    found = await AttackDetector(model).log_odds(pictures())
    apart = float(np.abs(found - GOLDEN_LOG_ODDS).max())
    if apart > _MOST_APART:
        raise ModelUnavailable(
            f"drawn pictures have log-odds of an attack that are {apart:.3f} from the known ones, at most "
            f"{_MOST_APART} is allowed"
        )
