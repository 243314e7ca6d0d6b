"""Cuts faces with their surroundings out of a picture: what a detector of presentation attacks looks at."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.types import SURROUNDINGS_PX, Faces, Rgb

__all__ = ["NO_SURROUNDINGS", "surroundings"]

_ENLARGED_BY: Final = 2.7
"""Sides of the part that is cut out, in sides of the face's box: the scale that MiniFASNetV2 was trained on, which its published file has in its
name (`2.7_80x80_MiniFASNetV2`)."""

NO_SURROUNDINGS: Final[Rgb] = np.empty((0, SURROUNDINGS_PX, SURROUNDINGS_PX, 3), np.uint8)
"""Of no face."""


def surroundings(image: Rgb, faces: Faces) -> Rgb:
    """Returns each face with its surroundings.

    The part has the proportions of the box. It is moved into the picture where it reaches beyond, and is smaller where the picture is, so
    nothing is filled up: Silent-Face-Anti-Spoofing, `CropImage` in src/generate_patches.py, which the network was trained with.

    Args:
        image: (h, w, 3) uint8 RGB, the picture at full size.
        faces: n faces in pixels of `image`.

    Returns:
        (n, 80, 80, 3) uint8 RGB.
    """
    if not len(faces):
        return NO_SURROUNDINGS
    return np.stack([_cut(image, box) for box in faces.boxes.astype(np.float64)])


def _cut(image: Rgb, box: NDArray[np.float64]) -> Rgb:
    picture = np.array([image.shape[1], image.shape[0]], np.float64)
    sides = np.maximum(box[2:] - box[:2], 1.0)
    part = sides * min(_ENLARGED_BY, *((picture - 1) / sides))
    start = np.clip((box[:2] + box[2:] - part) / 2, 0, picture - 1 - part)
    left, top = start.astype(int)
    right, bottom = (start + part).astype(int) + 1
    size = (SURROUNDINGS_PX, SURROUNDINGS_PX)
    resized = cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_LINEAR)
    return resized.astype(np.uint8, copy=False)
