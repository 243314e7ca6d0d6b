"""The MTCNN image pyramid, packed into one picture, so that one P-Net pass sees every scale.

Two levels an octave: levels 0 and 1 are resampled from the picture, every further level is half of
the level two above (2 x 2 mean), so the step is 1/sqrt(2) = 0.7071; Zhang et al. 2016 use
0.709. Every level lies in a margin of neutral gray of half a P-Net cell: a face that the picture's
border cuts, or that fills the picture, still gets a window, and no window sees two levels. The
pyramid goes on until the picture is smaller than a cell.

Tile and levels are indexed [x, y], not [y, x]: resampling is then two gathers of whole rows around
one transposition, where the usual order would gather single pixels.
"""

from typing import Final, NamedTuple

import numpy as np
import tensorflow as tf

__all__ = ["CELL_PX", "MARGIN_PX", "Pyramid", "pyramid"]

CELL_PX: Final = 12
"""Side of a P-Net window: the size of the faces that it finds."""

MARGIN_PX: Final = CELL_PX // 2
"""Width of the gray border of every level."""

_OCTAVES: Final = 7
"""Octaves of the pyramid. Chosen, not measured: 14 levels reach faces of 90 times the smallest one."""

_LEVELS: Final = 2 * _OCTAVES

_MIN_SIDE_PX: Final = 8
"""Side of the last level in use: in it, a face 1.5 times as large as the picture fills one cell."""

_MIN_FACE_PX: Final = 6.0
"""Smaller values would make level 0 more than four times the picture: this bounds the work."""

_STEP: Final = np.float32(0.5**0.5)
"""Ratio of the sizes of two levels."""

_HALVE: Final = np.full((2, 2, 1, 1), 0.25, np.float32) * np.eye(3, dtype=np.float32)
"""The convolution of stride 2 that averages 2 x 2 pixels of each color."""
_HALVE_PADDING: Final = (MARGIN_PX, MARGIN_PX + 1)
"""Halving leaves half a margin, halved padding is the other half; the odd one saves the last pixel."""


class Pyramid(NamedTuple):
    """The packed levels and where each lies. L levels; points are (x, y).

    Attributes:
        tile: float32 [1, X, Y, 3] RGB, `(x - 127.5) / 128`; 0 between the levels.
        first: int32 [L, 2]. A level's corner in the tile; the picture starts a margin later.
        last: int32 [L, 2]. The last corner of a cell that lies in the level.
        used: bool [L]. Whether the level is part of this picture's pyramid.
        scale: float32 [L, 2]. Level pixels per picture pixel.
    """

    tile: tf.Tensor
    first: tf.Tensor
    last: tf.Tensor
    used: tf.Tensor
    scale: tf.Tensor


def pyramid(image: tf.Tensor, min_face_px: tf.Tensor) -> Pyramid:
    """Builds the pyramid of a picture, uint8 [H, W, 3] RGB.

    The smallest face, `min_face_px` (float32 scalar), fills one cell of level 0.
    """
    size = tf.cast(tf.shape(image)[1::-1], tf.float32)
    zoom = CELL_PX / tf.maximum(min_face_px, _MIN_FACE_PX)
    steps = np.stack([np.ones(1, np.float32), np.array([_STEP])])
    base = tf.maximum(tf.cast(tf.floor(size * zoom * steps + 0.5), tf.int32), 1)

    levels = [_resampled(image, base[0]), _resampled(image, base[1])]
    sizes = [base + 2 * MARGIN_PX]
    for k in range(2, _LEVELS):
        padding = [[0, 0], _HALVE_PADDING, _HALVE_PADDING, [0, 0]]
        levels.append(tf.nn.conv2d(levels[k - 2], _HALVE, 2, padding))
        if k % 2 == 0:
            sizes.append((sizes[-1] + sum(_HALVE_PADDING)) // 2)
    level_sizes = tf.reshape(tf.stack(sizes), [_LEVELS, 2])
    # Even sizes: P-Net's stride of 2 then meets every level at the same phase.
    slots = (level_sizes + 1) // 2 * 2
    tile, first = _packed(levels, level_sizes, slots)

    halvings = np.float32(0.5) ** np.arange(_OCTAVES, dtype=np.float32)[:, None, None]
    scale = tf.reshape(tf.cast(base, tf.float32) / size * halvings, [_LEVELS, 2])
    short_sides = tf.reduce_min(size) * zoom * _STEP ** np.arange(_LEVELS, dtype=np.float32)
    return Pyramid(tile, first, first + slots - CELL_PX, short_sides >= _MIN_SIDE_PX, scale)


def _resampled(image: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """A level: [H, W, 3] uint8 -> [1, x + 2 margins, y + 2 margins, 3], bilinear, normalized."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    before, after, weight_before, weight_after = _taps(size[1], height)
    rows = tf.reshape(image, [height, width * 3])
    before, after = (
        (tf.cast(tf.gather(rows, row), tf.float32) - 127.5) / 128 for row in (before, after)
    )  # by one constant, which OpenVINO joins with the cast; the weights differ from row to row
    rows = before * weight_before + after * weight_after
    high = size[1] + 2 * MARGIN_PX
    # As four axes: OpenVINO has a fast kernel for this transposition, and takes three times as long for that of a matrix.
    columns = tf.transpose(tf.reshape(rows, [1, high, 1, 3 * width]), [0, 3, 1, 2])
    columns = tf.reshape(columns, [width, 3 * high])
    before, after, weight_before, weight_after = _taps(size[0], width)
    columns = tf.gather(columns, before) * weight_before + tf.gather(columns, after) * weight_after
    wide = size[0] + 2 * MARGIN_PX
    # Whole planes first: OpenVINO's convolutions take these, so the last transposition is none there.
    planes = tf.transpose(tf.reshape(columns, [wide, 3, high]), [1, 0, 2])
    return tf.transpose(tf.reshape(planes, [1, 3, wide, high]), [0, 2, 3, 1])


def _taps(size: tf.Tensor, source: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """The two source rows of each row of a level, margins included, and their weights [n, 1].

    The two weigh 1 together, in the margin nothing. Pixel centers lie at half-integers, and
    borders repeat.
    """
    row = tf.range(size + 2 * MARGIN_PX) - MARGIN_PX
    inside = tf.cast((row >= 0) & (row < size), tf.float32)[:, None]
    ratio = tf.cast(source, tf.float32) / tf.cast(size, tf.float32)
    center = (tf.cast(row, tf.float32) + 0.5) * ratio - 0.5
    center = tf.clip_by_value(center, 0.0, tf.cast(source - 1, tf.float32))
    before = tf.floor(center)
    share = (center - before)[:, None]
    before = tf.cast(before, tf.int32)
    return before, tf.minimum(before + 1, source - 1), (1 - share) * inside, share * inside


def _packed(
    levels: list[tf.Tensor], sizes: tf.Tensor, slots: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Puts the levels into one tile; returns it and the levels' corners, int32 [L, 2].

    Three bands along y. The small levels fill the gaps that the large ones leave, in all but small or narrow pictures:

        level 0
        level 1 | level 4 over level 5 over (level 6 | level 7)
        level 2 | level 3 over (level 8 | level 9 | ...)
    """
    wide, high = (tf.unstack(side, num=_LEVELS) for side in tf.unstack(slots, axis=1))
    small = range(8, _LEVELS)
    lefts = tf.unstack(tf.cumsum(tf.stack(wide[8:]), exclusive=True), num=len(small))
    beside_1 = tf.reduce_max([wide[4], wide[5], wide[6] + wide[7]])
    beside_2 = tf.maximum(wide[3], lefts[-1] + wide[-1])
    width = tf.reduce_max([wide[0], wide[1] + beside_1, wide[2] + beside_2])
    bands = [high[0], tf.maximum(high[1], high[4] + high[5] + high[6])]
    bands.append(tf.maximum(high[2], high[3] + high[8]))
    tops = [tf.zeros_like(width), bands[0], bands[0] + bands[1]]

    def slot(level: int, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        spare = tf.stack([x, y]) - sizes[level]
        return tf.pad(levels[level], [[0, 0], [0, spare[0]], [0, spare[1]], [0, 0]])

    def row(first: int, stop: int, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Levels side by side in x * y pixels of the tile."""
        last = stop - 1
        rest = x - sum(wide[first:last])
        each = [slot(k, rest if k == last else wide[k], y) for k in range(first, stop)]
        return tf.concat(each, 1)

    right_of_1, right_of_2 = width - wide[1], width - wide[2]
    column_1 = [slot(4, right_of_1, high[4]), slot(5, right_of_1, high[5])]
    column_1.append(row(6, 8, right_of_1, bands[1] - high[4] - high[5]))
    column_2 = [slot(3, right_of_2, high[3]), row(8, _LEVELS, right_of_2, bands[2] - high[3])]
    tile = tf.concat(
        [
            slot(0, width, bands[0]),
            tf.concat([slot(1, wide[1], bands[1]), tf.concat(column_1, 2)], 1),
            tf.concat([slot(2, wide[2], bands[2]), tf.concat(column_2, 2)], 1),
        ],
        2,
    )
    corners = [(tops[0], tops[0]), (tops[0], tops[1]), (tops[0], tops[2]), (wide[2], tops[2])]
    corners += [(wide[1], tops[1]), (wide[1], tops[1] + high[4])]
    below = tops[1] + high[4] + high[5]
    corners += [(wide[1], below), (wide[1] + wide[6], below)]
    corners += [(wide[2] + left, tops[2] + high[3]) for left in lefts]
    return tile, tf.stack([tf.stack(corner) for corner in corners])
