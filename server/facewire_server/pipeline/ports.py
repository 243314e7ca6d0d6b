"""The ports through which a step of the line calls a model."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Rgb

__all__ = ["Model", "PresentationAttackDetector"]


class Model(Protocol):
    """One signature of a servable: named arrays in, named arrays out."""

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once.

        Raises:
            ModelUnavailable: it does not answer; trying again later may help.
            TimedOut: it has not answered within the picture's time.
        """
        ...


class PresentationAttackDetector(Protocol):
    """Looks for hints of presentation attacks."""

    async def log_odds(self, pictures: Rgb) -> NDArray[np.float32]:
        """Scores faces with their surroundings.

        Args:
            pictures: (n, 80, 80, 3) uint8 RGB, of `pipeline.surroundings`; n may be 0.

        Returns:
            (n,) natural logarithms of how much more probable an attack is than a live face, finite.

        Raises:
            ModelUnavailable: it does not answer, or its answer cannot be used.
            TimedOut: it has not answered within the picture's time.
        """
        ...
