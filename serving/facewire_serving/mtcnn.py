"""The `mtcnn` servable: the whole detection cascade of Zhang et al. 2016 in one graph, and its last network alone.

pyramid -> propose (P-Net) -> refine (R-Net) -> output (O-Net). The thresholds come with the call;
all else is as published, except:

* the pyramid's step, its gray margins and its last levels (`mtcnn_pyramid`);
* coordinates are continuous, without the "+ 1" of Matlab's pixel indices;
* P-Net's duplicates are suppressed once, at 0.49 (`_WINDOW_OVERLAP`), R-Net's after calibration, at 0.85
  (`_REFINED_OVERLAP`);
* every stage has a cap on what it passes on, so that noise or a crowd cannot cost without bound: of a crowd of
  more than 512 faces the caps lose some.

`follow` runs O-Net on windows that are given, such as the faces of the frame before. It runs it twice: the first run moves
the window onto the face, the second one looks at it as the cascade would.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import tensorflow as tf
from numpy.typing import NDArray

from facewire_serving.mtcnn_boxes import calibrated, crops, squared, unnested, usable
from facewire_serving.mtcnn_nets import OutputNet, ProposalNet, RefineNet
from facewire_serving.mtcnn_pyramid import CELL_PX, MARGIN_PX, Pyramid, pyramid

__all__ = ["build", "export"]

_Constants = Mapping[str, NDArray]

_STRIDE_PX: Final = 2
"""Pixels between windows of P-Net, whose one pooling halves the picture."""

_MAX_PROPOSALS: Final = 2048
"""Most boxes that R-Net looks at. Chosen, not measured: bounds the work on noise."""

_MAX_REFINED: Final = 512
"""Most boxes that O-Net looks at, hence most faces that can be found. Chosen, not measured: twice the most faces
that the server returns by default."""

_WINDOW_OVERLAP: Final = 0.49
"""Published: 0.5. Windows 4 px apart share exactly half, and engines differ in whether they
suppress at equality. The published second pass, 0.7 across levels, is left out: windows of
neighboring levels overlap by about 0.5 at most, so it never removes one."""

_REFINED_OVERLAP: Final = 0.85
"""Published: 0.7, before calibration. Calibrated boxes of one face agree better, so this drops more
of the duplicates and fewer of the neighbors: a fifth less work for O-Net, no face lost."""

_BATCH_STEPS: Final = {0: 1, 8: 2, 16: 4, 32: 8, 64: 16, 128: 32, 256: 64, 512: 128, 1024: 256}
"""R-Net's and O-Net's batches of more boxes than the key are padded to a multiple of the value: an engine prepares itself for each
new size, which takes 5 ms in OpenVINO, and meets 20 sizes up to 64 boxes. Less than a fifth is padding. Measured against multiples of
eight: 0.96 to 0.98 of the time of a search, 0.35 of that of following one face."""


def export(constants: _Constants, directory: Path) -> None:
    """Writes the SavedModel with its two signatures, `serving_default` and `follow`; see `build`."""
    module = build(constants)
    signatures = {"serving_default": module.detect, "follow": module.follow}
    tf.saved_model.save(module, str(directory), signatures=signatures)


def build(constants: _Constants) -> tf.Module:
    """Builds a module whose `detect` and `follow` are the signatures of the servable.

    Args:
        constants: what `mtcnn_weights.constants` returns.

    Returns:
        A module with two methods. Outputs of both: `boxes` float32 [n, 4] (x1, y1, x2, y2 in pixels of the image; may
        reach outside), `scores` float32 [n], `landmarks` float32 [n, 5, 2] (x, y of left eye, right eye, nose, left
        and right corner of the mouth as the viewer sees them).

        `detect`: `image` uint8 [H, W, 3] RGB, `min_face_px` float32 (values below 6 count as 6), `thresholds` float32
        [3] to the faces above these, best first. n may be 0 and is at most 512.

        `follow`: `image` the same, `boxes` float32 [n, 4] to a row for each box, in their order and independent of
        each other. n may be 0. A box that is not finite or has no area has the score 0, and numbers without meaning.
    """
    return _Cascade(constants)


class _Cascade(tf.Module):
    def __init__(self, constants: _Constants) -> None:
        super().__init__()
        self._pnet = ProposalNet(constants)
        self._rnet = RefineNet(constants)
        # A function of the graph: both signatures call it, and its constants stand in the file once.
        self._onet = tf.function(
            OutputNet(constants),
            input_signature=[tf.TensorSpec([None, 48, 48, 3], tf.float32, name="crops")],
        )

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 3], tf.uint8, name="image"),
            tf.TensorSpec([], tf.float32, name="min_face_px"),
            tf.TensorSpec([3], tf.float32, name="thresholds"),
        ]
    )
    def detect(
        self, image: tf.Tensor, min_face_px: tf.Tensor, thresholds: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        levels = pyramid(image, min_face_px)
        boxes = self._propose(levels, thresholds[0])
        boxes = self._refine(image, boxes, thresholds[1])
        return self._output(image, boxes, thresholds[2])

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 3], tf.uint8, name="image"),
            tf.TensorSpec([None, 4], tf.float32, name="boxes"),
        ]
    )
    def follow(self, image: tf.Tensor, boxes: tf.Tensor) -> dict[str, tf.Tensor]:
        windows, are_usable = usable(boxes)
        windows = squared(windows)
        _, offsets, _ = _run_net(self._onet, image, windows, 48)
        windows = squared(calibrated(windows, offsets))
        logits, offsets, points = _run_net(self._onet, image, windows, 48)
        return {
            "boxes": calibrated(windows, offsets),
            "scores": tf.where(are_usable, tf.sigmoid(logits), 0.0),
            "landmarks": _placed(points, windows),
        }

    def _propose(self, levels: Pyramid, threshold: tf.Tensor) -> tf.Tensor:
        """P-Net over the tile; returns square boxes [n, 4], best first."""
        logits, offsets = self._pnet(levels.tile)
        high = tf.shape(logits)[2]
        logits, offsets = tf.reshape(logits, [-1]), tf.reshape(offsets, [4, -1])
        cell = tf.cast(tf.where(logits > _logit(threshold))[:, 0], tf.int32)
        corner = tf.stack([cell // high, cell % high], 1) * _STRIDE_PX
        within = (corner[:, None] >= levels.first) & (corner[:, None] <= levels.last)
        within = tf.reduce_all(within, axis=2) & levels.used
        cell, corner, within = _gather_rows(
            tf.where(tf.reduce_any(within, 1))[:, 0], cell, corner, within
        )
        level = tf.argmax(tf.cast(within, tf.float32), axis=1)
        score = tf.gather(logits, cell)

        # Levels do not overlap in the tile, so this suppresses within each level.
        windows = tf.cast(tf.concat([corner, corner + CELL_PX], 1), tf.float32)
        keep = tf.image.non_max_suppression(windows, score, _MAX_PROPOSALS, _WINDOW_OVERLAP)
        cell, corner, level = _gather_rows(keep, cell, corner, level)

        scale = tf.gather(levels.scale, level)
        start = tf.cast(corner - tf.gather(levels.first, level) - MARGIN_PX, tf.float32)
        boxes = tf.concat([start / scale, (start + CELL_PX) / scale], 1)
        return squared(calibrated(boxes, tf.transpose(tf.gather(offsets, cell, axis=1))))

    def _refine(self, image: tf.Tensor, boxes: tf.Tensor, threshold: tf.Tensor) -> tf.Tensor:
        """R-Net over the proposals; returns square boxes [n, 4], best first."""
        logits, offsets = _run_net(self._rnet, image, boxes, 24)
        passed = tf.where(logits > _logit(threshold))[:, 0]
        boxes, logits, offsets = _gather_rows(passed, boxes, logits, offsets)
        boxes = calibrated(boxes, offsets)
        keep = tf.image.non_max_suppression(boxes, logits, _MAX_REFINED, _REFINED_OVERLAP)
        return squared(tf.gather(boxes, keep))

    def _output(
        self, image: tf.Tensor, boxes: tf.Tensor, threshold: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """O-Net over the refined boxes; returns the faces."""
        logits, offsets, points = _run_net(self._onet, image, boxes, 48)
        order = tf.argsort(logits, direction="DESCENDING", stable=True)
        found = tf.gather(order, tf.where(tf.gather(logits, order) > _logit(threshold))[:, 0])
        boxes, logits, offsets, points = _gather_rows(found, boxes, logits, offsets, points)
        landmarks = _placed(points, boxes)
        boxes = calibrated(boxes, offsets)
        boxes, logits, landmarks = _gather_rows(unnested(boxes, 0.7), boxes, logits, landmarks)
        return {"boxes": boxes, "scores": tf.sigmoid(logits), "landmarks": landmarks}


def _logit(probability: tf.Tensor) -> tf.Tensor:
    """The inverse of the sigmoid. Logits order faces whose float32 scores are all 1."""
    return -tf.math.log(1 / probability - 1)


def _run_net(
    net: Callable[[tf.Tensor], Sequence[tf.Tensor]], image: tf.Tensor, boxes: tf.Tensor, side: int
) -> list[tf.Tensor]:
    """Runs a network over the crops of the boxes, in a batch of a rounded size.

    The batch is never empty: OpenVINO's pooling and TensorFlow's oneDNN convolutions refuse that.
    """
    count = tf.shape(boxes)[0]
    rows = tf.maximum(count, 1)
    above, steps = tf.constant([*_BATCH_STEPS]), tf.constant([*_BATCH_STEPS.values()])
    step = tf.reduce_max(tf.where(rows > above, steps, 1))
    spare = -(-rows // step) * step - count
    outputs = net(crops(image, tf.pad(boxes, [[0, spare], [0, 0]]), side))
    return [output[:count] for output in outputs]


def _placed(points: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
    """Converts points [n, 5, 2] in shares of the box to pixels of the image."""
    return boxes[:, None, :2] + points * (boxes[:, None, 2:] - boxes[:, None, :2])


def _gather_rows(indices: tf.Tensor, *rows: tf.Tensor) -> list[tf.Tensor]:
    return [tf.gather(row, indices) for row in rows]
