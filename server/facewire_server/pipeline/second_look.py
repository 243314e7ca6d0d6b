"""Looks again at what is almost surely a face: plain and mirrored, at the size that the cascade's last network sees.

The cascade takes its crops from the canvas as it is, so the score of one face depends on how large the canvas happens to be: a crop of a
large face skips pixels, one of a small face shows less than the picture has. Here each face is cut out of the picture itself.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.merge import merged
from facewire_server.types import DetectionOptions, Faces, Rgb
from facewire_server.work.clock import Clock

__all__ = ["ALMOST_SURE", "looked_at_again"]

ALMOST_SURE: Final = 0.6
"""Score of the cascade from which a face is looked at again. Measured on half of the scenes of `bench.almost_sure`: from 0.5 one face more
of 244 is found, and one box more on no face."""

_CELL_PX: Final = 96
"""Side of the picture of one face: O-Net sees 48 x 48 pixels, and the face fills half of a side."""

_SURROUNDINGS: Final = 2.0
"""Side of what a cell shows, in sides of the box: the first of O-Net's two runs moves the window."""

_GRAY: Final = 127
"""Gray level beyond the picture, as in the cascade's own crops."""

_CHUNK: Final = 16
"""Most faces of one prediction: with their mirror images as many windows as a prediction of `Follower` takes."""

_MOST: Final = 64
"""Most faces of a canvas that are looked at again, the best ones: bounds the work on noise. Chosen, not measured: 26 were the most in
a scene."""

_ROUNDING: Final = 1e-6
"""A score's least distance from 0 and 1, so that its logit is finite."""


class _Span(NamedTuple):
    """One side of a part of a picture, from `start` to `stop`, and of its place in a cell; scale: the cell's pixels for one of the picture."""

    start: int
    stop: int
    at: int
    length: int
    scale: float


class _Cell(NamedTuple):
    """A face, (`_CELL_PX`, `_CELL_PX`, 3), with its corner in pixels of the picture, and its scale, both x and y."""

    pixels: Rgb
    corner: tuple[float, float]
    scale: tuple[float, float]


class _Sheet(NamedTuple):
    """Faces below each other, plain on the left, mirrored on the right.

    Attributes:
        pixels: (h, w, 3) uint8.
        windows: (2n, 4) float32, first the plain ones, pixels of the sheet.
        corners: (n, 2) where the cells begin, pixels of the picture.
        scales: (n, 2) pixels of the sheet for each pixel of the picture.
    """

    pixels: Rgb
    windows: NDArray[np.float32]
    corners: NDArray[np.float64]
    scales: NDArray[np.float64]


async def looked_at_again(
    found: Faces,
    canvas: Rgb,
    source: Rgb,
    options: DetectionOptions,
    follower: Follower,
    clock: Clock,
) -> Faces:
    """Returns the faces that are sure: at once, or by two further looks.

    The second score is that of the mean of the two looks' logits. A face whose second score reaches `options.min_score` has it from
    then on, with the box and the landmarks of the plain look. If the follower fails, no face is looked at again.

    Args:
        found: faces from `ALMOST_SURE` on, in pixels of the canvas, highest score first.
        canvas: in which they were found.
        source: (h, w, 3) uint8 RGB, the picture that the canvas was drawn from.
        options: what counts as a face.
        follower: has O-Net.
        clock: has the threads.

    Raises:
        TimedOut: the follower has not answered within the picture's time.
    """
    is_sure = found.scores >= options.min_score
    sure, doubtful = found[is_sure], found[~is_sure][:_MOST]
    if not len(doubtful):
        return sure[: options.max_faces]
    by = source.shape[1] / canvas.shape[1], source.shape[0] / canvas.shape[0]
    looks = [sure]
    for start in range(0, len(doubtful), _CHUNK):
        boxes = doubtful[start : start + _CHUNK].scaled(*by).boxes
        sheet = await clock.run("detect", _drawn, source, boxes)
        try:
            with clock.stage("detect"):
                seen = await follower.follow(sheet.pixels, sheet.windows)
        except ModelUnavailable:  # a served model may have lost the signature since it was checked
            return sure[: options.max_faces]
        again = _placed(seen, sheet)
        looks.append(again[again.scores >= options.min_score].scaled(1 / by[0], 1 / by[1]))
    # A window may have moved onto a face that is sure.
    return merged(looks, options.max_faces)


def _drawn(image: Rgb, boxes: NDArray[np.float32]) -> _Sheet:
    """Draws a sheet of n boxes, at least one."""
    rows = (
        1 << (len(boxes) - 1).bit_length()
    )  # few heights, since an engine prepares itself for each
    pixels = np.full((rows * _CELL_PX, 2 * _CELL_PX, 3), _GRAY, np.uint8)
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) * _SURROUNDINGS / 2
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    places = np.hstack([np.floor(middles - halves), np.ceil(middles + halves)]).astype(int)
    cells = [_cell(image, place) for place in places.tolist()]
    for row, cell in enumerate(cells):
        pixels[row * _CELL_PX :][:_CELL_PX] = np.hstack([cell.pixels, cell.pixels[:, ::-1]])
    corners = np.array([cell.corner for cell in cells])
    scales = np.array([cell.scale for cell in cells])
    plain = (boxes - np.tile(corners, 2)) * np.tile(scales, 2)
    mirrored = plain * [-1, 1, -1, 1] + [2 * _CELL_PX, 0, 2 * _CELL_PX, 0]
    down = np.arange(len(boxes))[:, None] * np.array([0, _CELL_PX, 0, _CELL_PX])
    windows = np.concatenate([plain, mirrored[:, [2, 1, 0, 3]]]) + np.tile(down, (2, 1))
    return _Sheet(pixels, windows.astype(np.float32), corners, scales)


def _cell(image: Rgb, place: Sequence[int]) -> _Cell:
    """Draws a rectangle of the picture, x1, y1, x2, y2, which may reach outside, without a copy of it at full size."""
    pixels = np.full((_CELL_PX, _CELL_PX, 3), _GRAY, np.uint8)
    spans = [_span(place[axis], place[axis + 2], image.shape[1 - axis]) for axis in (0, 1)]
    x, y = spans
    part = image[y.start : y.stop, x.start : x.stop]
    # Averaging, so that no pixel of a large face is skipped.
    how = cv2.INTER_AREA if max(x.scale, y.scale) < 1 else cv2.INTER_LINEAR
    drawn = cv2.resize(part, (x.length, y.length), interpolation=how)
    pixels[y.at :][: y.length, x.at :][:, : x.length] = drawn
    return _Cell(
        pixels,
        (x.start - x.at / x.scale, y.start - y.at / y.scale),
        (x.scale, y.scale),
    )


def _span(start: int, stop: int, side: int) -> _Span:
    """Returns what of one side of a picture lies in a cell that shows it from `start` to `stop`."""
    scale = _CELL_PX / max(stop - start, 1)
    first = min(max(start, 0), side - 1)
    last = min(max(stop, first + 1), side)
    at = min(max(round((first - start) * scale), 0), _CELL_PX - 1)
    length = min(max(round((last - first) * scale), 1), _CELL_PX - at)
    return _Span(first, last, at, length, length / (last - first))


def _placed(seen: Faces, sheet: _Sheet) -> Faces:
    """Returns the n faces of a sheet in pixels of the picture, with the scores of both looks."""
    count = len(sheet.corners)
    down = np.arange(count)[:, None] * np.array([0, _CELL_PX])
    boxes = (seen.boxes[:count] - np.tile(down, 2)) / np.tile(sheet.scales, 2)
    points = (seen.landmarks[:count] - down[:, None]) / sheet.scales[:, None]
    scores = np.clip(seen.scores.astype(np.float64), _ROUNDING, 1 - _ROUNDING)
    logits = np.log(scores / (1 - scores))
    mean = (logits[:count] + logits[count:]) / 2
    return Faces(
        (boxes + np.tile(sheet.corners, 2)).astype(np.float32),
        (1 / (1 + np.exp(-mean))).astype(np.float32),
        (points + sheet.corners[:, None]).astype(np.float32),
    )
