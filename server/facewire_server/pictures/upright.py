"""Turns stored pixels upright (EXIF 3.0, 4.6.5.1.6)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import cv2
import numpy as np

from facewire_server.types import Rgb

__all__ = ["rotated", "upright"]

_TURNS: Final[Mapping[int, Callable[[Any], Any]]] = {
    2: lambda image: cv2.flip(image, 1),
    3: lambda image: cv2.rotate(image, cv2.ROTATE_180),
    4: lambda image: cv2.flip(image, 0),
    5: cv2.transpose,
    6: lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
    7: lambda image: cv2.rotate(cv2.transpose(image), cv2.ROTATE_180),
    8: lambda image: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""Stored pixels to upright ones, by orientation."""

_ROTATIONS: Final = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
"""OpenCV's names of the clockwise turns, by degrees."""


def upright(image: Rgb, orientation: int) -> Rgb:
    """Returns the picture as it is shown; the same array for orientation 1."""
    turn = _TURNS.get(orientation)
    return image if turn is None else np.ascontiguousarray(turn(image))


def rotated(image: Rgb, degrees: int) -> Rgb:
    """Returns the picture turned clockwise by 0, 90, 180 or 270 degrees; the same array for 0."""
    turn = _ROTATIONS.get(degrees)
    return image if turn is None else cv2.rotate(image, turn).astype(np.uint8, copy=False)
