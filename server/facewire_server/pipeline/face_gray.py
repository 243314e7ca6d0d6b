"""Faces of a frame as a few gray levels: to see whether one has changed, for next to nothing."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Rgb

__all__ = ["FACE_GRAY_PX", "face_grays"]

FACE_GRAY_PX: Final = 24
"""Side of a face, pixels. Chosen, not measured: eyes, nose and mouth are some pixels each, and the noise of a camera is averaged away."""


def face_grays(image: Rgb, boxes: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Returns the gray levels of n faces, (n, 24, 24) uint8.

    Args:
        image: (h, w, 3) uint8 RGB, decoded at any size.
        boxes: (n, 4) x1, y1, x2, y2 in pixels of the image; what lies outside of it is left out, and a box all of which does is black.
    """
    grays = np.zeros((len(boxes), FACE_GRAY_PX, FACE_GRAY_PX), np.uint8)
    for gray, (x1, y1, x2, y2) in zip(grays, boxes, strict=True):
        left, top, right, bottom = (max(0, int(side)) for side in (x1, y1, x2 + 1, y2 + 1))
        part = image[top:bottom, left:right]
        if part.size:
            small = cv2.resize(part, gray.shape, interpolation=cv2.INTER_AREA)
            gray[:] = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return grays
