"""Brightens what is dark, as a camera's pictures at night are, for the models that find and recognize faces."""

from typing import Final

import cv2
import numpy as np

from facewire_server.types import Rgb

__all__ = ["DARK_LUMA", "light_gain", "stretched"]

_PERCENTILE: Final = 90
"""Which pixel, ordered by luma, stands for the light: a lamp, a window or the camera's own lettering may cover a tenth of a dark
picture."""

DARK_LUMA: Final = 40
"""Luma of that pixel, gray levels, under which a picture or a crop is dark. Measured: no picture of LFW or of the groups has less than 77, no
crop less than 91; pictures of a sixth of their light (up to 39) are found as they are, of an eighth (up to 29) 40 of 50."""

_TARGET_LUMA: Final = 160
"""Luma of that pixel after the stretch, gray levels. Chosen, not measured: ordinary pictures have a median of 180, and the lower target
leaves what is brighter than that pixel room before it clips."""

_MAX_GAIN: Final = 32.0
"""Largest factor: a picture of a twentieth of its light needs 27. Measured: with it, 120 frames of nothing but noise show no face; of 50 pictures
of a thirtieth of their light it finds 34, a factor of 48 finds 36."""


def light_gain(image: Rgb) -> float:
    """Returns the factor that brightens the picture, (h, w, 3) uint8 RGB, if it is dark; 1 if it is not."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    counts = cv2.calcHist([luma], [0], None, [256], [0, 256]).ravel().cumsum()
    light = int(np.searchsorted(counts, counts[-1] * _PERCENTILE / 100))
    return min(_MAX_GAIN, _TARGET_LUMA / max(light, 1)) if light < DARK_LUMA else 1.0


def stretched(image: Rgb) -> Rgb:
    """Returns the picture with its luma stretched if it is dark; the very same array if it is not.

    All three channels are multiplied by one factor, so that colors keep their ratios.

    Args:
        image: (h, w, 3) uint8 RGB.
    """
    gain = light_gain(image)
    if gain == 1:
        return image
    return cv2.convertScaleAbs(image, alpha=gain).astype(np.uint8, copy=False)
