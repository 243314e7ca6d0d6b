"""The canary: fixed crops whose embeddings prove which model is running.

A name and a version show neither which weights run nor whether their input is prepared correctly. The
embeddings of these crops do. The crops are made by integer arithmetic alone, so every machine and every
numpy release makes the same bytes; swapped channels, a mirrored crop or one gray level change the embeddings.
The model contract holds the golden ones.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["CANARY_MIN_COSINE", "check", "crops"]

CANARY_MIN_COSINE: Final = 0.9999
"""The lowest result of `check` at which a model counts as proven: both engines reach 0.999999 in float32, bfloat16
only 0.9991 (serving/README.md)."""

_SIDE_PX: Final = 112
"""Side of a crop, as `types.CROP_PX`; the drawings are made for it, so it never changes."""


def crops() -> NDArray[np.uint8]:
    """Draws the canary crops.

    Returns:
        uint8 of shape (4, 112, 112, 3), RGB: color ramps, shaded ellipses, a colored checker
        and a drawn face that is lit from one side.
    """
    y, x = np.mgrid[0:_SIDE_PX, 0:_SIDE_PX].astype(np.int64)
    drawings = (_ramps(x, y), _ellipses(x, y), _checker(x, y), _face(x, y))
    return np.stack([np.clip(drawing, 0, 255) for drawing in drawings]).astype(np.uint8)


def check(embeddings: NDArray[np.float32], golden: NDArray[np.float32]) -> float:
    """Compares a model's embeddings of `crops` with the golden ones.

    The measure is 1 - |e - g|^2 / 2. For unit vectors that is the cosine similarity; unlike the
    cosine it also falls if a model returns embeddings that are not of unit length.

    Args:
        embeddings: float32 (4, D).
        golden: float32 (4, D), the unit vectors of the model contract.

    Returns:
        The lowest of the four, at most 1.0; -inf if the shape differs or a value is not finite.
    """
    if embeddings.shape != golden.shape or not np.isfinite(embeddings).all():
        return -float("inf")
    apart = embeddings.astype(np.float64) - golden.astype(np.float64)
    return float(1.0 - np.square(apart).sum(axis=1).max() / 2.0)


def _ramps(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    last = _SIDE_PX - 1
    return np.stack([255 * x // last, 255 * y // last, 255 * x * y // (last * last)], axis=-1)


def _ellipses(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack(
        [
            _shaded(x, y, center=(40, 50), radii=(34, 45), light=230),
            _shaded(x, y, center=(62, 44), radii=(40, 30), light=180),
            _shaded(x, y, center=(54, 74), radii=(48, 26), light=120),
        ],
        axis=-1,
    )


def _checker(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    cells_px = (7, 12, 19)
    squares = [(x // cell + y // cell) % 2 for cell in cells_px]
    red, green, blue = squares
    return np.stack([40 + 180 * red, 200 - 150 * green + x // 4, 30 + 120 * blue + y], axis=-1)


def _face(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    face = _inside(x, y, center=(56, 62), radii=(38, 50))
    hair = _inside(x, y, center=(54, 30), radii=(46, 34)) & (y < 36 + x // 10)
    light = 50 - x * 2 // 3
    canvas = np.stack([90 + y // 3, 110 + y // 4, 130 + x // 4], axis=-1)
    canvas[face] = np.stack([205 + light, 160 + light, 135 + light], axis=-1)[face]
    canvas[hair] = (52, 36, 28)
    for center in ((38, 52), (74, 51)):
        canvas[_inside(x, y, center, radii=(8, 4))] = (235, 232, 228)
        canvas[_inside(x, y, center, radii=(3, 4))] = (40, 62, 48)
        canvas[_inside(x, y, (center[0], center[1] - 10), radii=(10, 2))] = (60, 42, 32)
    canvas[_inside(x, y, center=(57, 72), radii=(5, 7))] = (176, 124, 102)
    canvas[_inside(x, y, center=(56, 92), radii=(15, 4))] = (168, 62, 66)
    return canvas


def _inside(
    x: NDArray[np.int64], y: NDArray[np.int64], center: tuple[int, int], radii: tuple[int, int]
) -> NDArray[np.bool_]:
    (cx, cy), (rx, ry) = center, radii
    return ((x - cx) * ry) ** 2 + ((y - cy) * rx) ** 2 <= (rx * ry) ** 2


def _shaded(
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    center: tuple[int, int],
    radii: tuple[int, int],
    light: int,
) -> NDArray[np.int64]:
    """One channel: a dome of brightness over an ellipse, on a dim ground."""
    (cx, cy), (rx, ry) = center, radii
    height = (rx * ry) ** 2 - ((x - cx) * ry) ** 2 - ((y - cy) * rx) ** 2
    return np.where(height > 0, 25 + light * height // (rx * ry) ** 2, 25)
