"""OpenCV's own face pipeline, YuNet + SFace, as its documentation puts it together."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.weights import sface_onnx, yunet_onnx

__all__ = ["OpenCvPipeline"]

_MIN_SCORE: Final = 0.7
"""With OpenCV's default of 0.9 it finds a quarter of the small faces of a crowd; below 0.7 it finds false ones, too."""
_NMS: Final = 0.3
_TOP_K: Final = 5000


class OpenCvPipeline:
    """Bytes to faces to embeddings: decode, FaceDetectorYN, FaceRecognizerSF."""

    def __init__(self) -> None:
        self._detector = cv2.FaceDetectorYN.create(
            str(yunet_onnx()), "", (320, 320), _MIN_SCORE, _NMS, _TOP_K
        )
        self._recognizer = cv2.FaceRecognizerSF.create(str(sface_onnx()), "")

    def detect(self, image: cv2.typing.MatLike, longest_side_px: int = 0) -> NDArray[np.float32]:
        """Finds faces.

        Args:
            image: (h, w, 3) uint8 BGR.
            longest_side_px: larger pictures are searched at this size; 0 = at their own.

        Returns:
            (n, 15) in pixels of `image`: x, y, width, height, five landmarks, score.
        """
        scale = min(1.0, longest_side_px / max(image.shape[:2])) if longest_side_px else 1.0
        canvas: cv2.typing.MatLike = image
        if scale < 1:
            canvas = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        self._detector.setInputSize((canvas.shape[1], canvas.shape[0]))
        _, faces = self._detector.detect(canvas)
        if faces is None:
            return np.empty((0, 15), np.float32)
        found = faces.astype(np.float32, copy=False)
        found[:, :14] /= scale
        return found

    def recognize(self, picture: bytes, longest_side_px: int = 0) -> int:
        """Decodes one picture, detects and embeds every face; returns the number of faces."""
        image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError("a picture cannot be decoded")
        faces = self.detect(image, longest_side_px)
        for face in faces:
            self._recognizer.feature(self._recognizer.alignCrop(image, face))
        return len(faces)
