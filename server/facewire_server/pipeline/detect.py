"""Finds faces: a picture is searched on a canvas just large enough for the smallest face wanted."""

import math

import cv2
import numpy as np

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.ports import Model
from facewire_server.types import CROP_PX, DetectionOptions, Faces, Rgb

__all__ = [
    "CANVAS_MIN_FACE_PX",
    "MAX_CANVAS_PIXELS",
    "Detector",
    "canvas_short_side",
    "draw_canvas",
    "useful_longest_side",
]

CANVAS_MIN_FACE_PX = 20
"""Side of the smallest face wanted, on the canvas. MTCNN's smallest is 12; with 20 the later
stages still see more than they need to tell a face from a pattern."""

MAX_CANVAS_PIXELS = 1 << 21
"""Work and memory of one detection are bounded by this; see `DetectionOptions.min_face_px`."""

_MAX_CANVAS_SIDE_PX = 4096
"""Of a picture that is a thin strip; the model's memory grows with the longer side, too."""

# Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
# Convolutional Networks"; the last one is raised by `DetectionOptions.min_score`.
_THRESHOLDS = np.array([0.6, 0.7, 0.7], np.float32)


def canvas_short_side(width_px: int, height_px: int, options: DetectionOptions) -> int:
    """Length of the canvas' shorter side: above the picture's own where small faces are wanted."""
    short = min(width_px, height_px)
    wanted = options.min_face_px or short * options.short_side_fraction
    scale = min(
        CANVAS_MIN_FACE_PX / wanted,
        math.sqrt(MAX_CANVAS_PIXELS / (width_px * height_px)),
        _MAX_CANVAS_SIDE_PX / max(width_px, height_px),
    )
    return max(1, round(short * scale))


def useful_longest_side(width_px: int, height_px: int, options: DetectionOptions) -> int:
    """Longest side of a picture beyond which more pixels make no answer better; 0 = as it is.

    There the smallest face that is looked for fills the crop that is embedded. Where a size
    in pixels was asked for, a smaller picture would change what that means.
    """
    smallest_px = min(width_px, height_px) * options.short_side_fraction
    if options.min_face_px or smallest_px <= CROP_PX:
        return 0
    return round(max(width_px, height_px) * CROP_PX / smallest_px)


def draw_canvas(image: Rgb, short_side_px: int) -> Rgb:
    """The picture with its shorter side made `short_side_px` long; the longer one follows.

    Args:
        image: (h, w, 3) uint8, the picture at any size.
        short_side_px: >= 1.
    """
    height, width = image.shape[:2]
    scale = min(short_side_px / min(height, width), _MAX_CANVAS_SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return image
    # Averaging is only worth its cost where a bilinear sample would step over pixels.
    interpolation = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=interpolation).astype(np.uint8, copy=False)


class Detector:
    """The `mtcnn` servable: picture to faces."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def detect(self, canvas: Rgb, options: DetectionOptions) -> Faces:
        """Finds the faces of a picture.

        Args:
            canvas: the picture as `draw_canvas` gave it.
            options: what counts as a face.

        Returns:
            The faces in pixels of the canvas, highest score first.

        Raises:
            ModelUnavailable: the model does not answer, or answers something else than faces.
        """
        thresholds = _THRESHOLDS.copy()
        thresholds[2] = max(thresholds[2], options.min_score)
        answer = await self._model.predict(
            {
                "image": canvas,
                "min_face_px": np.array(CANVAS_MIN_FACE_PX, np.float32),
                "thresholds": thresholds,
            }
        )
        faces = _faces(answer)
        return faces[np.argsort(-faces.scores, kind="stable")[: options.max_faces]]


def _faces(answer: dict[str, np.ndarray]) -> Faces:
    try:
        boxes, scores = answer["boxes"], answer["scores"]
        landmarks = answer["landmarks"]
    except KeyError as missing:
        raise ModelUnavailable(f"the detector's answer lacks {missing}") from missing
    count = len(scores)
    if boxes.shape != (count, 4) or landmarks.shape != (count, 5, 2) or scores.shape != (count,):
        raise ModelUnavailable("the detector's answer has unexpected shapes")
    if not all(np.isfinite(array).all() for array in (boxes, scores, landmarks)):
        raise ModelUnavailable("the detector's answer is not finite")
    return Faces(boxes, scores, landmarks)
