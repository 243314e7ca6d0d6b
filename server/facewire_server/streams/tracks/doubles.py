"""Faces of one frame that are one face: two followed windows that converged."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["same_as"]

_SAME_FACE_IOU: Final = 0.5
"""Intersection over union from which two boxes are one face. Chosen, not measured: PASCAL VOC's measure of one object."""


def same_as(boxes: NDArray[np.float64], scores: NDArray[np.floating]) -> NDArray[np.intp]:
    """Finds, for each face, the better face that it is once more.

    Args:
        boxes: (n, 4) float64.
        scores: (n,); of two boxes that are one face, the higher score is kept, of equals the first.

    Returns:
        (n,): the row itself, or the row that is kept instead.
    """
    rows = np.arange(len(boxes))
    if len(rows) < 2:
        return rows
    left, top, right, bottom = boxes.T
    across = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    down = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    areas = (right - left) * (bottom - top)
    alike = shared > _SAME_FACE_IOU * (areas[:, None] + areas - shared)
    np.fill_diagonal(alike, val=False)
    if not alike.any():
        return rows
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable"):
        better = [other for other in kept if alike[row, other]]
        rows[row] = better[0] if better else row
        if not better:
            kept.append(int(row))
    return rows
