"""Checks embeddings before a gallery stores or searches them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facewire_server.errors import InvalidField

__all__ = ["are_unit", "checked_embeddings"]

_UNIT_TOLERANCE = 1e-3
"""Most that a norm may differ from 1. Chosen, not measured: float32 rounding stays far below it,
and an embedding that was never normalized lies far above."""


def are_unit(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Returns for each row (m, d) whether its norm is 1 within 1e-3, (m,) bool; a NaN makes it False."""
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        return np.asarray(np.abs(norms - 1.0) <= _UNIT_TOLERANCE)


def checked_embeddings(rows: ArrayLike, dimension: int) -> NDArray[np.float32]:
    """Returns the rows as a contiguous (n, dimension) float32 array; n may be 0.

    Raises:
        InvalidField: rows of another length, or whose norm is not 1 within 1e-3 (NaN included).
    """
    array = np.ascontiguousarray(rows, np.float32)
    if array.ndim != 2 or array.shape[1] != dimension:
        raise InvalidField(f"an embedding must have {dimension} numbers", field="embedding")
    (wrong,) = np.nonzero(~are_unit(array))
    if len(wrong):
        with np.errstate(over="ignore", invalid="ignore"):
            norm = np.linalg.norm(array[wrong[0]])
        raise InvalidField(
            f"the embedding is not of unit length (norm {norm:.3g})", field="embedding"
        )
    return array
