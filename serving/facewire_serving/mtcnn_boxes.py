"""Operations on boxes between the stages of MTCNN: calibrate, make square, suppress, crop.

Boxes are float32 [n, 4], x1, y1, x2, y2 in pixels of the picture, continuous (the first pixel
reaches from 0 to 1), and may reach outside of the picture, which is neutral gray there.
"""

from typing import Final

import tensorflow as tf

__all__ = ["calibrated", "crops", "squared", "unnested", "usable"]

_FARTHEST_PX: Final = 65536.0
"""Coordinates of a given box are moved to this distance from the picture's corner at most: float32 holds a box of a
face to a hundredth of a pixel there, and what is calculated from it stays finite. No canvas is as large."""


def calibrated(boxes: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
    """Moves the edges by offsets [n, 4] in units of the box's own width and height."""
    return boxes + offsets * tf.tile(boxes[:, 2:] - boxes[:, :2], [1, 2])


def squared(boxes: tf.Tensor) -> tf.Tensor:
    """Grows the shorter side about the center."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = tf.reduce_max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return tf.concat([center - half, center + half], 1)


def usable(boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Makes boxes that a caller sent safe to calculate with.

    Args:
        boxes: [n, 4], any numbers.

    Returns:
        Boxes of finite numbers with an area, [n, 4]; and which of them are the caller's, bool [n]: the others
        stand for boxes that were not finite or had no area.
    """
    finite = tf.where(tf.abs(boxes) < float("inf"), boxes, 0.0)  # a comparison with NaN is false
    near = tf.clip_by_value(finite, -_FARTHEST_PX, _FARTHEST_PX)
    are_usable = tf.reduce_all(tf.abs(boxes) < float("inf"), 1)
    are_usable &= tf.reduce_all(near[:, 2:] > near[:, :2], 1)
    return tf.where(are_usable[:, None], near, tf.constant([0.0, 0.0, 1.0, 1.0])), are_usable


def unnested(boxes: tf.Tensor, overlap: float) -> tf.Tensor:
    """Greedy suppression by the intersection over the smaller area.

    Args:
        boxes: [n, 4], best first.
        overlap: A box that shares more than this with a better, kept one is removed.

    Returns:
        The indices of the boxes to keep, ascending.
    """
    shared = tf.minimum(boxes[:, None, 2:], boxes[:, 2:]) - tf.maximum(
        boxes[:, None, :2], boxes[:, :2]
    )
    shared = tf.reduce_prod(tf.maximum(shared, 0.0), axis=2)
    area = tf.reduce_prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    rank = tf.range(tf.shape(boxes)[0])
    beaten = (shared > overlap * tf.minimum(area[:, None], area)) & (rank < rank[:, None])
    beaten = tf.cast(beaten, tf.float32)
    keep = tf.ones_like(boxes[:, :1])
    # A box is kept if no kept box beats it. Repeating that from "all are kept" settles one
    # more link of every chain "a beats b beats c ..." each time; longer chains than this do not
    # occur among boxes that passed an ordinary suppression.
    for _ in range(8):
        keep = tf.cast(tf.matmul(beaten, keep) < 0.5, tf.float32)
    return tf.where(keep[:, 0] > 0.5)[:, 0]


def crops(image: tf.Tensor, boxes: tf.Tensor, side: int) -> tf.Tensor:
    """Samples boxes bilinearly at the centers of a side x side grid.

    Args:
        image: uint8 [H, W, 3] RGB.
        boxes: [n, 4].
        side: Pixels of a crop's side.

    Returns:
        float32 [n, side, side, 3], `(x - 127.5) / 128`, 0 outside of the picture.
    """
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    levels = tf.reshape(image, [-1])
    top, bottom, weight_top, weight_bottom = _taps(boxes[:, 1], boxes[:, 3], side, height)
    left, right, weight_left, weight_right = _taps(boxes[:, 0], boxes[:, 2], side, width)
    top, bottom = (3 * width * top)[:, :, None], (3 * width * bottom)[:, :, None]
    weight_top, weight_bottom = weight_top[:, :, None], weight_bottom[:, :, None]
    # Every color is gathered by an index of its own: OpenVINO copies rows of three bytes one by one, and
    # gathers single bytes sixteen at a time.
    left, right = (
        tf.reshape(3 * x[:, :, None] + tf.range(3), [-1, 1, 3 * side]) for x in (left, right)
    )
    weight_left, weight_right = (
        tf.reshape(tf.tile(weight[:, :, None], [1, 1, 3]), [-1, 1, 3 * side])
        for weight in (weight_left, weight_right)
    )

    def tap(y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        return (tf.cast(tf.gather(levels, y + x), tf.float32) - 127.5) / 128

    sampled = weight_top * (tap(top, left) * weight_left + tap(top, right) * weight_right)
    sampled += weight_bottom * (tap(bottom, left) * weight_left + tap(bottom, right) * weight_right)
    return tf.reshape(sampled, [-1, side, side, 3])


def _taps(
    start: tf.Tensor, stop: tf.Tensor, side: int, source: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """The two source indices of each sample [n, side]; their weights add up to 1, 0 outside."""
    place = start[:, None] + (stop - start)[:, None] * (
        (tf.range(side, dtype=tf.float32) + 0.5) / side
    )
    length = tf.cast(source, tf.float32)
    inside = tf.cast((place >= 0) & (place < length), tf.float32)
    center = tf.clip_by_value(place - 0.5, 0.0, length - 1)
    before = tf.floor(center)
    share = center - before
    before = tf.cast(before, tf.int32)
    return before, tf.minimum(before + 1, source - 1), (1 - share) * inside, share * inside
