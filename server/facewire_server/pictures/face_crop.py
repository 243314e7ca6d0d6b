"""Cuts a face with some of its surroundings out of a picture: to look at, and to enroll."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Rgb

__all__ = ["face_crop"]

_MARGIN: Final = 0.5
"""Of the box's width and height on each side of it: the detector finds a face that fills a picture less surely. The contract says it."""

_LONGEST_SIDE_PX: Final = 512
"""Longest side: the face is then at least twice as large as the 112 pixels that are embedded. The contract says it."""

_JPEG_QUALITY: Final = 90
"""Of 100. Chosen, not measured."""


def face_crop(image: Rgb, box: NDArray[np.float32]) -> bytes:
    """Returns a JPEG of the face and its surroundings, at most 512 pixels a side.

    Args:
        image: (h, w, 3) uint8, RGB, upright.
        box: (4,) x1, y1, x2, y2 in pixels of the image; it may reach beyond it.

    Raises:
        ValueError: the box lies outside of the image.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = map(float, box)
    beside_px, above_px = _MARGIN * (right - left), _MARGIN * (bottom - top)
    x1, x2 = max(0, math.floor(left - beside_px)), min(width, math.ceil(right + beside_px))
    y1, y2 = max(0, math.floor(top - above_px)), min(height, math.ceil(bottom + above_px))
    if x1 >= x2 or y1 >= y2:
        raise ValueError("the box lies outside of the image")
    crop = np.ascontiguousarray(image[y1:y2, x1:x2])
    scale = _LONGEST_SIDE_PX / max(crop.shape[:2])
    if scale < 1.0:
        size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    bgr = cv2.cvtColor(crop, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return jpeg.tobytes()
