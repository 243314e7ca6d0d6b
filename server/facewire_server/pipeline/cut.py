"""Cuts the faces of a picture out of it, as crops to embed, and measures how well each can be recognized."""

import numpy as np

from facewire_server.pipeline.align import align
from facewire_server.pipeline.light import light_gain, smoothed
from facewire_server.pipeline.quality import assess
from facewire_server.types import Faces, Quality, Rgb

__all__ = ["cut"]


def cut(image: Rgb, faces: Faces) -> tuple[Rgb, list[Quality]]:
    """Returns the crops, brightened if they are dark, and the qualities that they have as received.

    Args:
        image: (h, w, 3) uint8 RGB, the picture at full size.
        faces: n faces in pixels of `image`.

    Returns:
        (n, 112, 112, 3) uint8 RGB; n qualities.
    """
    crops = align(image, faces)
    qualities = assess(faces, crops)
    gains = np.array([light_gain(crop) for crop in crops])
    dark = np.flatnonzero(gains > 1)
    if len(dark):
        crops[dark] = smoothed(align(image, faces[dark], gains[dark].tolist()))
    return crops, qualities
