"""A frame as a few gray levels: to see whether something has changed, for next to nothing."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Rgb

__all__ = ["THUMBNAIL_PX", "thumbnail"]

THUMBNAIL_PX: Final = (32, 18)
"""Width and height, pixels. Chosen, not measured: a face that is just large enough to be looked for, a sixteenth of the
shorter side, covers about one pixel, and the noise of a camera is averaged away."""


def thumbnail(image: Rgb) -> NDArray[np.uint8]:
    """Returns the mean gray levels of the picture's parts, (18, 32) uint8, whatever its size and aspect ratio.

    Args:
        image: (h, w, 3) uint8 RGB, decoded at any size.
    """
    small = cv2.resize(image, THUMBNAIL_PX, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
