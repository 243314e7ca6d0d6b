"""Compares detected faces with annotated ones."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["found", "iou"]


def iou(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, m) intersection over union of n and m boxes, each x1, y1, x2, y2."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:4], other[None, :, 2:4])
    shared = (high - low).clip(min=0).prod(axis=2)
    areas = [(boxes[:, 2:4] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    whole = areas[0][:, None] + areas[1][None] - shared
    overlaps: NDArray[np.float64] = shared / np.maximum(whole, 1e-9)
    return overlaps


def found(
    detected: NDArray[np.floating], truth: NDArray[np.floating], at_least: float = 0.5
) -> NDArray[np.bool_]:
    """Which true faces were found: each detection, best first, claims the one it overlaps most.

    Args:
        detected: (n, 5) x1, y1, x2, y2, score.
        truth: (m, 4) x1, y1, x2, y2.
        at_least: IoU that makes a match (PASCAL VOC and WIDER FACE: 0.5).

    Returns:
        (m,) bool.
    """
    claimed = np.zeros(len(truth), np.bool_)
    if not len(truth):
        return claimed
    for overlaps in iou(detected[np.argsort(-detected[:, 4], kind="stable")], truth):
        open_overlaps = np.where(claimed, 0.0, overlaps)
        best = int(open_overlaps.argmax())
        if open_overlaps[best] >= at_least:
            claimed[best] = True
    return claimed
