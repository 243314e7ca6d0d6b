"""MTCNN as in its paper, step by step: the reference for the `mtcnn` servable's recall.

Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
with the constants that its authors published. Nothing is shared with the servable but the weights.
"""

from typing import Any, Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from bench.weights import mtcnn_onnx

__all__ = ["PlainMtcnn"]

_THRESHOLDS: Final = (0.6, 0.7, 0.7)
_PYRAMID_FACTOR: Final = 0.709
_CELL_PX: Final = 12
_STRIDE_PX: Final = 2


class PlainMtcnn:
    """The cascade at full size of the picture, with faces of 20 px and more."""

    def __init__(self, min_face_px: float = 20.0) -> None:
        self._min_face_px = min_face_px
        self._nets = {net: _session(net) for net in ("pnet", "rnet", "onet")}

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Finds faces.

        Args:
            image: (h, w, 3) uint8 RGB.

        Returns:
            (n, 5) x1, y1, x2, y2, score.
        """
        found = [self._propose(image, scale) for scale in self._scales(*image.shape[:2])]
        boxes = np.concatenate([np.empty((0, 9)), *found])
        boxes = _square(_regressed(boxes[_suppressed(boxes, 0.7)]))
        boxes = self._refine(image, boxes, "rnet", side_px=24, threshold=_THRESHOLDS[1])
        boxes = _square(_regressed(boxes[_suppressed(boxes, 0.7)]))
        boxes = self._refine(image, boxes, "onet", side_px=48, threshold=_THRESHOLDS[2])
        boxes = _regressed(boxes)
        return boxes[_suppressed(boxes, 0.7, by_smaller=True), :5]

    def _scales(self, height: int, width: int) -> list[float]:
        scales = []
        scale = _CELL_PX / self._min_face_px
        while min(height, width) * scale >= _CELL_PX:
            scales.append(scale)
            scale *= _PYRAMID_FACTOR
        return scales

    def _propose(self, image: NDArray[np.uint8], scale: float) -> NDArray[np.float64]:
        """P-Net on one level of the pyramid: (n, 9) box, score, four offsets."""
        height, width = image.shape[:2]
        size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
        level = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        offsets, scores = _answer(self._nets["pnet"], level[None])
        offsets, faces = offsets[0].swapaxes(0, 1), scores[0, ..., 1].T
        y, x = np.nonzero(faces >= _THRESHOLDS[0])
        corner = np.stack([x, y], axis=1) * _STRIDE_PX
        boxes = np.hstack(
            [corner / scale, (corner + _CELL_PX) / scale, faces[y, x][:, None], offsets[y, x]]
        )
        return boxes[_suppressed(boxes, 0.5)]

    def _refine(
        self,
        image: NDArray[np.uint8],
        boxes: NDArray[np.float64],
        net: str,
        *,
        side_px: int,
        threshold: float,
    ) -> NDArray[np.float64]:
        """R-Net or O-Net on each box: (n, 9) box, its new score, four offsets."""
        if not len(boxes):
            return np.empty((0, 9))
        crops = np.stack([_crop(image, box, side_px) for box in boxes])
        answers = _answer(self._nets[net], crops)
        offsets, faces = answers[0], answers[-1][:, 1]
        refined = np.hstack([boxes[:, :4], faces[:, None], offsets])
        return refined[faces >= threshold]


def _session(net: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(mtcnn_onnx(net), providers=["CPUExecutionProvider"])


def _answer(net: onnxruntime.InferenceSession, pictures: NDArray[Any]) -> list[NDArray[np.float32]]:
    """Runs a network. These files take and return x and y swapped."""
    normal = ((pictures.astype(np.float32) - 127.5) / 128).transpose(0, 2, 1, 3)
    answers: list[NDArray[np.float32]] = net.run(None, {net.get_inputs()[0].name: normal})
    return answers


def _crop(image: NDArray[np.uint8], box: NDArray[np.float64], side_px: int) -> NDArray[np.uint8]:
    """Returns a box of the picture, scaled; black outside the picture."""
    left, top, right, bottom = (round(edge) for edge in box[:4])
    canvas = np.zeros((max(1, bottom - top), max(1, right - left), 3), np.uint8)
    part = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    y, x = min(max(-top, 0), len(canvas)), min(max(-left, 0), canvas.shape[1])
    canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
    return cv2.resize(canvas, (side_px, side_px), interpolation=cv2.INTER_AREA).astype(
        np.uint8, copy=False
    )


def _regressed(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The boxes moved by their offsets, which are shares of the box's sides."""
    sides = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
    return np.hstack([boxes[:, :4] + boxes[:, 5:9] * sides, boxes[:, 4:5]])


def _square(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns squares around the boxes' centers, as large as the longer side."""
    center = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = (boxes[:, 2:4] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([center - half, center + half, boxes[:, 4:5]])


def _suppressed(boxes: NDArray[np.float64], most: float, *, by_smaller: bool = False) -> list[int]:
    """Greedy non-maximum suppression: rows that stay, best first.

    Args:
        boxes: (n, ≥5) x1, y1, x2, y2, score.
        most: overlap above which the weaker box is removed.
        by_smaller: overlap is the share of the smaller box, not of the union.
    """
    areas = (boxes[:, 2:4] - boxes[:, :2]).prod(axis=1)
    waiting = np.argsort(-boxes[:, 4], kind="stable")
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(int(best))
        inner = np.minimum(boxes[waiting, 2:4], boxes[best, 2:4]) - np.maximum(
            boxes[waiting, :2], boxes[best, :2]
        )
        shared = inner.clip(min=0).prod(axis=1)
        whole = (
            np.minimum(areas[waiting], areas[best])
            if by_smaller
            else areas[waiting] + areas[best] - shared
        )
        waiting = waiting[shared <= most * whole]
    return kept
