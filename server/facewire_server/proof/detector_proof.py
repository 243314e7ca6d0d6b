"""Verifies a detector: it must find exactly one face in a drawing, at its known box.

A detector that finds nothing looks healthy, since most pictures have no face; it may be another model, or its
input may be prepared otherwise. The face is the canary's. It lies off the center of a canvas that is not square,
so a mirrored or transposed canvas moves it; flipped vertically or with channels swapped, the face is not found.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.ports import Model
from facewire_server.proof import canary
from facewire_server.types import DetectionOptions, Rgb

__all__ = ["GOLDEN_BOX", "MIN_IOU", "draw", "iou", "prove"]

MIN_IOU: Final = 0.9
"""The lowest IoU with `GOLDEN_BOX` at which a detector counts as proven. Chosen, not measured: both engines
reach 0.999, a halved or shifted canvas stays under 0.8."""

GOLDEN_BOX: Final = np.array([37.09, 35.28, 121.31, 142.97], np.float32)
"""x1, y1, x2, y2 in pixels of `draw`, found by tests/serving/reference_cascade.py, which shares no code with the
engines that are proven by it."""

_SIZE_PX: Final = (160, 240)
"""Height and width of the canvas: not square, so that transposing it moves the face."""

_CORNER_PX: Final = (24, 24)
"""Top and left of the face: off the center, so that mirroring the canvas moves it."""

_GRAY: Final = 127
"""Gray level of the background: the middle of the range."""

_OPTIONS: Final = DetectionOptions(min_score=0.7, max_faces=2, short_side_fraction=1 / 16)
"""A stream's fraction, and the lowest score that an operator may set; a second face would be reported."""


def draw() -> Rgb:
    """Draws the canvas: (160, 240, 3) uint8 RGB, the same bytes on every machine."""
    canvas = np.full((*_SIZE_PX, 3), _GRAY, np.uint8)
    face = canary.crops()[-1]
    (top, left), (height, width) = _CORNER_PX, face.shape[:2]
    canvas[top : top + height, left : left + width] = face
    return canvas


async def prove(model: Model) -> None:
    """Shows the drawing to a model of the `mtcnn` servable.

    Raises:
        ModelUnavailable: the model does not answer, or does not find the one face at its box.
        TimedOut: it has not answered before the deadline.
    """
    boxes = (await Detector(model).detect(draw(), _OPTIONS)).boxes
    if len(boxes) != 1:
        raise ModelUnavailable(f"the detector finds {len(boxes)} faces in a drawing of one")
    overlap = iou(boxes[0], GOLDEN_BOX)
    if overlap < MIN_IOU:
        raise ModelUnavailable(
            f"the detector finds a drawn face elsewhere: the IoU of its box is {overlap:.3f}, at "
            f"least {MIN_IOU} is required"
        )


def iou(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Intersection over union of two boxes (x1, y1, x2, y2); 0 if they do not meet."""
    lows, highs = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.clip(highs - lows, 0, None)))
    both = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return shared / (both - shared) if shared else 0.0
