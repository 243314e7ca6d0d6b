"""Finds faces on a canvas: the picture at the smallest size that shows the smallest face wanted."""

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
"""Side of the smallest face wanted, on the canvas. MTCNN's smallest is 12 px; 20 px leave its later stages
the detail that they need to reject patterns."""

MAX_CANVAS_PIXELS = 1 << 21
"""Pixels of a canvas: bounds the work and memory of one detection; see `DetectionOptions.min_face_px`. Chosen, not
measured: a 1080p picture has as many."""

_MAX_CANVAS_SIDE_PX = 4096
"""Pixels of the longer side, which bounds the canvas of a thin strip: the model's memory grows with the longer side,
too. Chosen, not measured."""

_THRESHOLDS = np.array([0.6, 0.7, 0.7], np.float32)
"""Thresholds of P-Net, R-Net and O-Net, as in Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks"; `DetectionOptions.min_score` raises the last one."""


def canvas_short_side(width_px: int, height_px: int, options: DetectionOptions) -> int:
    """Returns the length of the canvas' shorter side; a picture is enlarged if small faces are wanted."""
    short = min(width_px, height_px)
    wanted = options.min_face_px or short * options.short_side_fraction
    scale = min(
        CANVAS_MIN_FACE_PX / wanted,
        math.sqrt(MAX_CANVAS_PIXELS / (width_px * height_px)),
        _MAX_CANVAS_SIDE_PX / max(width_px, height_px),
    )
    return max(1, round(short * scale))


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
    scale = min(short_side_px / min(height, width), _MAX_CANVAS_SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return image
    # Averaging costs more, and is needed only if bilinear sampling would skip pixels.
    interpolation = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=interpolation).astype(np.uint8, copy=False)


class Detector:
    """The `mtcnn` servable: picture to faces."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def detect(self, canvas: Rgb, options: DetectionOptions) -> Faces:
        """Finds the faces of a picture.

        Args:
            canvas: as `draw_canvas` returns it.
            options: what counts as a face.

        Returns:
            The faces in pixels of the canvas, highest score first.

        Raises:
            ModelUnavailable: the model does not answer, or its outputs are not faces.
            TimedOut: it has not answered within the picture's time.
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
