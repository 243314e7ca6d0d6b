"""The canvas that is searched: the picture at the smallest size that shows the smallest face wanted."""

import math

import cv2
import numpy as np

from facewire_server.types import CANVAS_MIN_FACE_PX, CROP_PX, DetectionOptions, Rgb

__all__ = [
    "MAX_CANVAS_PIXELS",
    "MAX_CANVAS_SIDE_PX",
    "SMALLEST_FACE_PX",
    "canvas_scale",
    "draw_canvas",
    "resized",
    "useful_longest_side",
    "wanted_scale",
]

MAX_CANVAS_PIXELS = 1 << 21
"""Pixels of a canvas: bounds the work and memory of one detection; see `DetectionOptions.min_face_px`. Chosen, not
measured: a 1080p picture has as many."""

MAX_CANVAS_SIDE_PX = 4096
"""Pixels of the longer side, which bounds the canvas of a thin strip: the model's memory grows with the longer side,
too. Chosen, not measured."""

SMALLEST_FACE_PX = 8
"""Smallest face that is looked for unless a smaller one is asked for, pixels of the picture: the least that a request may ask for
(`DetectionOptions.min_face_px`). Without it a fraction of a tiny picture enlarges it without bound: 4x1 pixels became a
canvas of 2560x640."""

_OCTAVE_LEVELS = 2
"""Levels of the detector's pyramid in an octave. Its last level, the smallest, finds faces that fill the picture; how small it is
depends on where the canvas' side lies between two levels. Measured on 128 tight crops of 160 pixels: all found on a canvas of 640
or 453 (640 a level down), 126 on one of 400."""


def canvas_scale(width_px: int, height_px: int, options: DetectionOptions) -> float:
    """Returns the canvas' pixels for each pixel of the picture, along a side; above 1 if small faces are wanted."""
    return min(
        wanted_scale(min(width_px, height_px), options),
        math.sqrt(MAX_CANVAS_PIXELS / (width_px * height_px)),
        MAX_CANVAS_SIDE_PX / max(width_px, height_px),
    )


def wanted_scale(short_side_px: int, options: DetectionOptions) -> float:
    """Returns the same of a canvas without bound, which shows the smallest face wanted in a picture of this shorter side."""
    if options.min_face_px:
        return CANVAS_MIN_FACE_PX / options.min_face_px
    smallest_px = short_side_px * options.short_side_fraction
    if smallest_px < SMALLEST_FACE_PX:
        # Whole levels smaller than the canvas of a larger picture: the pyramid's last level is then as small as there.
        levels = math.floor(_OCTAVE_LEVELS * math.log2(SMALLEST_FACE_PX / smallest_px))
        smallest_px *= 2 ** (levels / _OCTAVE_LEVELS)
    return CANVAS_MIN_FACE_PX / smallest_px


def useful_longest_side(width_px: int, height_px: int, options: DetectionOptions) -> int:
    """Returns the longest side of a picture beyond which more pixels change no result; 0 = any may.

    At that size the smallest face that is looked for fills the crop that is embedded. If the smallest
    face was given in pixels, a smaller picture would change the meaning of that number.
    """
    smallest_px = min(width_px, height_px) * options.short_side_fraction
    if options.min_face_px or smallest_px <= CROP_PX:
        return 0
    return round(max(width_px, height_px) * CROP_PX / smallest_px)


def draw_canvas(image: Rgb, short_side_px: int) -> Rgb:
    """Resizes the picture so that its shorter side is `short_side_px` long; keeps the aspect ratio.

    Args:
        image: (h, w, 3) uint8, the picture at any size.
        short_side_px: >= 1.
    """
    height, width = image.shape[:2]
    scale = min(short_side_px / min(height, width), MAX_CANVAS_SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return resized(image, size, scale)


def resized(image: Rgb, size: tuple[int, int], scale: float) -> Rgb:
    """Returns a picture at another size; the very same array if it has that size.

    Args:
        image: (h, w, 3) uint8.
        size: width and height, pixels.
        scale: the same as a factor, not rounded.
    """
    height, width = image.shape[:2]
    if size == (width, height):
        return image
    # Averaging costs more, and is needed only if bilinear sampling would skip pixels.
    interpolation = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=interpolation).astype(np.uint8, copy=False)
