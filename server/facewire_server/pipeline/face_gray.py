"""Faces of a frame with hair and outline as a few gray levels: to see whether one has changed, for next to nothing."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Rgb

__all__ = ["FACE_GRAY_PX", "face_grays"]

FACE_GRAY_PX: Final = 24
"""Side of a face with its surroundings, pixels. Chosen, not measured: eyes, nose and mouth are a few pixels each, and the noise of a camera is
averaged away."""

_AROUND: Final = 0.5
"""Share of a face's box that is kept on each side: hair, ears and neck. Measured: of 300 exchanges of two signers who resemble each other 52 %
have a likeness of .8 or more without it, .3 % with it; of one person's pictures 1/30 s apart 95 and 97 % do."""


def face_grays(image: Rgb, boxes: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Returns the gray levels of n faces and half a face around each, (n, 24, 24) uint8.

    Args:
        image: (h, w, 3) uint8 RGB, decoded at any size.
        boxes: (n, 4) x1, y1, x2, y2 in pixels of the image; what lies outside of it is left out, and a box all of which does is black.
    """
    grays = np.zeros((len(boxes), FACE_GRAY_PX, FACE_GRAY_PX), np.uint8)
    around = _AROUND * (boxes[:, 2:] - boxes[:, :2])
    wide = np.concatenate([boxes[:, :2] - around, boxes[:, 2:] + around], axis=1).tolist()
    for gray, (x1, y1, x2, y2) in zip(grays, wide, strict=True):
        left, top, right, bottom = (max(0, int(side)) for side in (x1, y1, x2 + 1, y2 + 1))
        part = image[top:bottom, left:right]
        if part.size:
            small = cv2.resize(part, gray.shape, interpolation=cv2.INTER_AREA)
            gray[:] = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return grays
