"""The port through which a step of the line calls a model."""

from collections.abc import Mapping
from typing import Protocol

from numpy.typing import NDArray

__all__ = ["Model"]


class Model(Protocol):
    """One signature of a servable: named arrays in, named arrays out."""

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once.

        Raises:
            ModelUnavailable: it does not answer; trying again later may help.
            TimedOut: it has not answered within the picture's time.
        """
        ...
