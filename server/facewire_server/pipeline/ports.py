"""The one thing outside the line that every step may call: a model."""

from collections.abc import Mapping
from typing import Protocol

from numpy.typing import NDArray

__all__ = ["Model"]


class Model(Protocol):
    """A servable: named arrays in, named arrays out."""

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once.

        Raises:
            ModelUnavailable: it does not answer; trying again later may help.
        """
        ...
