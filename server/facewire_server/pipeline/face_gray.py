"""Faces of a frame with hair and outline as a few gray levels, and how alike two of them are, for next to nothing."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Rgb

__all__ = ["FACE_GRAY_PX", "best_fit", "face_grays"]

FACE_GRAY_PX: Final = 24
"""Side of a face with its surroundings, pixels. Chosen, not measured: eyes, nose and mouth are a few pixels each, and the noise of a camera is
averaged away."""

_AROUND: Final = 0.5
"""Share of a face's box that is kept on each side: hair, ears and neck. Measured: of 300 exchanges of two signers who resemble each other 52 %
have a likeness of .8 or more without it, .3 % with it; of one person's pictures 1/30 s apart 95 and 97 % do."""


_SHIFT_PX: Final = 2
"""How far a face may have moved within its picture: a sixth of its width. Measured with `_SCALES`: without both, a limit that 1 % of these exchanges pass
is missed by 3 % of one person's pictures 1/30 s apart, with both by 1.1 %."""

_SCALES: Final = (1.0, 0.92, 1.08)
"""How much larger or smaller a face may have become: a search's boxes and those that are followed differ by as much. The first suffices most
often."""


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


def best_fit(before: NDArray[np.uint8], now: NDArray[np.uint8], *, enough: float) -> float:
    """Returns how alike two such pictures are, moved and scaled so that they fit best.

    Args:
        before: (24, 24) uint8.
        now: (24, 24) uint8.
        enough: from here on no better fit is looked for.

    Returns:
        Pearson's correlation of the middle of `before` with the part of `now` that it fits best; 0 if `before` is even.
    """
    if before.min() == before.max():
        return 0.0  # OpenCV finds an even picture everywhere
    best = -1.0
    for scale in _SCALES:
        best = max(best, _fit(before, now, scale))
        if best >= enough:
            break
    return best


def _fit(before: NDArray[np.uint8], now: NDArray[np.uint8], scale: float) -> float:
    """Returns the highest correlation of the middle of a face, `scale` times as large, with a part of `now`."""
    side = len(now)
    scaled = round(side * scale)
    if scaled != side:
        before = cv2.resize(before, (scaled, scaled), interpolation=cv2.INTER_AREA).astype(np.uint8)
    first, past = scaled // 2 - side // 2 + _SHIFT_PX, scaled // 2 + side // 2 - _SHIFT_PX
    middle = before[first:past, first:past]
    return float(cv2.matchTemplate(now, middle, cv2.TM_CCOEFF_NORMED).max())
