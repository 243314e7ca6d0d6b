"""Finds faces on a canvas."""

import numpy as np

from facewire_server.pipeline.face_outputs import faces_of
from facewire_server.pipeline.ports import Model
from facewire_server.types import CANVAS_MIN_FACE_PX, DetectionOptions, Faces, Rgb

__all__ = ["Detector"]

_THRESHOLDS = np.array([0.6, 0.7, 0.7], np.float32)
"""Thresholds of P-Net, R-Net and O-Net, as in Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks"; `DetectionOptions.min_score` raises the last one, and a second look lowers it (`second_look`)."""


class Detector:
    """The `mtcnn` servable, or what stands behind its signature: picture to faces.

    Attributes:
        coarser_by: ratio of the smallest face that it finds to `CANVAS_MIN_FACE_PX`.
    """

    def __init__(self, model: Model, *, min_face_px: float = CANVAS_MIN_FACE_PX) -> None:
        """Takes the model.

        Args:
            model: of the servable's default signature.
            min_face_px: side of the smallest face that it finds on a canvas, pixels.
        """
        self._model = model
        self.coarser_by = min_face_px / CANVAS_MIN_FACE_PX

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
        least = max(float(_THRESHOLDS[2]), options.min_score)
        return (await self.propose(canvas, least))[: options.max_faces]

    async def propose(self, canvas: Rgb, least_score: float) -> Faces:
        """Finds all that has a score above the least one; else as `detect`."""
        thresholds = _THRESHOLDS.copy()
        thresholds[2] = least_score
        answer = await self._model.predict(
            {
                "image": canvas,
                "min_face_px": np.array(CANVAS_MIN_FACE_PX, np.float32),
                "thresholds": thresholds,
            }
        )
        faces = faces_of(answer)
        return faces[np.argsort(-faces.scores, kind="stable")]
