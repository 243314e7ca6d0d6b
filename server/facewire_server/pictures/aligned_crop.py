"""Aligned crops as PNG and back: what the embedding model saw, without a loss."""

from typing import Final

import cv2
import numpy as np

from facewire_server.types import CROP_PX, Rgb

__all__ = ["crop_of", "png_of"]

_COMPRESSION: Final = 6
"""Of 9. Chosen, not measured: zlib's own default."""


def png_of(crop: Rgb) -> bytes:
    """Returns a crop, (112, 112, 3) uint8 RGB, as PNG. Measured on a photo's face: 24 KB in 4 ms."""
    bgr = cv2.cvtColor(crop, cv2.COLOR_RGB2BGR)
    _, png = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION])
    return png.tobytes()


def crop_of(png: bytes) -> Rgb:
    """Returns the crop, (112, 112, 3) uint8 RGB.

    Raises:
        ValueError: it is not the PNG of a crop.
    """
    crop = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB) if png else None
    if crop is None or crop.shape != (CROP_PX, CROP_PX, 3):
        raise ValueError("it is not the PNG of a crop")
    return np.asarray(crop, np.uint8)
