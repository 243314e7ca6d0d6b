"""Warps each face upright into the crop that the embedding model was trained on."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.types import CROP_PX, Faces, Rgb

__all__ = ["align", "similarity_transform"]

_TEMPLATE: Final = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ],
    np.float64,
)
"""Positions x, y of the five landmarks in a 112x112 crop (Deng et al. 2019, "ArcFace"; published with
its code as the alignment of every model of that family)."""


def align(image: Rgb, faces: Faces, gains: Sequence[float] | None = None) -> Rgb:
    """Returns one aligned crop for each face.

    Args:
        image: (h, w, 3) uint8 RGB, the picture at full size.
        faces: n faces in pixels of `image`.
        gains: of each face, the factor that brightens it; None = none is brightened. The pixels are multiplied before
            they are interpolated: in a dark picture what lies between two levels is worth as much as the levels.

    Returns:
        (n, 112, 112, 3) uint8 RGB; row i is face i. Pixels outside the picture are black.
    """
    crops = np.empty((len(faces), CROP_PX, CROP_PX, 3), np.uint8)
    gains = [1.0] * len(faces) if gains is None else gains
    for crop, landmarks, gain in zip(crops, faces.landmarks, gains, strict=True):
        _cut(image, landmarks.astype(np.float64), gain, crop)
    return crops


def similarity_transform(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the rotation, uniform scale and shift that best map five landmarks onto the template.

    Args:
        landmarks: (5, 2) x, y.

    Returns:
        (2, 3): crop position = matrix @ (x, y, 1).

    Source: S. Umeyama, IEEE PAMI 13(4), 1991, in the plane and without reflection, where the least-squares
    solution has a closed form: with points as complex numbers about their means, the
    factor is sum(conj(p) q) / sum(|p|^2).
    """
    points = landmarks @ (1, 1j)
    target = _TEMPLATE @ (1, 1j)
    centered = points - points.mean()
    spread = max(float(np.vdot(centered, centered).real), 1e-9)
    factor = np.vdot(centered, target - target.mean()) / spread
    shift = target.mean() - factor * points.mean()
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def _cut(image: Rgb, landmarks: NDArray[np.float64], gain: float, crop: Rgb) -> None:
    """Warps one face into `crop`.

    A face much larger than the crop is averaged down by a whole factor first: a
    bilinear sample of a big face would read one pixel in many and alias.
    """
    matrix = similarity_transform(landmarks)
    shrink = int(1 / max(float(np.hypot(*matrix[:, 0])), 1e-6))
    source = image
    if shrink >= 2 or gain > 1:
        source, matrix = _shrunk(image, matrix, max(1, shrink), gain)
    cv2.warpAffine(
        source,
        matrix,
        (CROP_PX, CROP_PX),
        dst=crop,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0),
    )


def _shrunk(
    image: Rgb, matrix: NDArray[np.float64], by: int, gain: float
) -> tuple[Rgb, NDArray[np.float64]]:
    """Returns the part of the picture under the crop, brightened and averaged over `by` x `by` pixels, and its matrix."""
    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([(0, 0), (CROP_PX, 0), (0, CROP_PX), (CROP_PX, CROP_PX)], np.float64)
    reach = corners @ inverse[:, :2].T + inverse[:, 2]
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(reach.min(0)).astype(int) - by, 0, (width, height))
    right, bottom = np.clip(np.ceil(reach.max(0)).astype(int) + by, 0, (width, height))
    columns, rows = (right - left) // by, (bottom - top) // by
    if columns < 1 or rows < 1:  # the face lies outside the picture
        return image, matrix
    part = image[top : top + rows * by, left : left + columns * by]
    if gain > 1:
        part = cv2.convertScaleAbs(part, alpha=gain).astype(np.uint8, copy=False)
    small = cv2.resize(part, (int(columns), int(rows)), interpolation=cv2.INTER_AREA)
    # Pixel centers: small (x, y) is picture (left + (x + .5) by - .5, top + ...).
    offset = np.array([left, top], np.float64) + (by - 1) / 2
    moved = matrix.copy()
    moved[:, 2] = matrix[:, :2] @ offset + matrix[:, 2]
    moved[:, :2] = matrix[:, :2] * by
    return small.astype(np.uint8, copy=False), moved
