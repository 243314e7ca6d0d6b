"""How alike two small gray pictures are."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["likeness"]


def likeness(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> float:
    """Returns Pearson's correlation of two pictures of one size, whatever their exposure; 0 if one is even."""
    one, other = (each.astype(np.float64) - each.mean() for each in (before, now))
    spread = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / spread if spread else 0.0
