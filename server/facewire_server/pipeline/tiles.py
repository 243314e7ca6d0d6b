"""Cuts a large canvas into tiles that overlap, and keeps of each tile's faces those that it shows whole."""

import math
from typing import Final, NamedTuple

import numpy as np

from facewire_server.types import Faces

__all__ = ["Tile", "largest_face_px", "shown_whole", "tiled"]

_CLEARANCE: Final = 1 / 8
"""Distance of a face from a border inside the picture, in sides of its box, from which it is whole: a box is as exact as that. Chosen,
not measured."""


class Tile(NamedTuple):
    """A part of a picture: its corners in pixels, (left, top) to (right, bottom)."""

    left: int
    top: int
    right: int
    bottom: int


def tiled(
    width_px: int, height_px: int, largest_face_px: float, *, max_pixels: int, max_side_px: int
) -> list[Tile]:
    """Returns the tiles of a canvas, all of one size, so that each face up to the largest lies whole in one of them.

    Args:
        width_px, height_px: of the canvas.
        largest_face_px: side of the largest face that must lie whole in a tile, pixels of the canvas.
        max_pixels, max_side_px: of a tile.

    Returns:
        The tiles by rows; one if the canvas is small enough. None at all if faces are too large for tiles of that size.
    """
    overlap = math.ceil(largest_face_px * (1 + 2 * _CLEARANCE))
    # A strip is cut across only; what is large both ways, into squares.
    across = min(width_px, height_px, math.isqrt(max_pixels))
    along = min(max(width_px, height_px), max_side_px, max_pixels // across)
    wide, high = (along, across) if width_px >= height_px else (across, along)
    columns, rows = _spans(width_px, wide, overlap), _spans(height_px, high, overlap)
    return [Tile(left, top, right, bottom) for top, bottom in rows for left, right in columns]


def largest_face_px(canvas_min_face_px: float, finer_by: float) -> float:
    """Returns the side of the largest face that tiles must find, pixels of their canvas.

    Args:
        canvas_min_face_px: side of the smallest face that is found on a canvas, its pixels.
        finer_by: the tiles' scale by that of the canvas that shows the whole picture, on which larger faces are found; the
            smallest of them not surely, so the tiles look for faces twice as large.
    """
    return 2 * canvas_min_face_px * finer_by


def shown_whole(faces: Faces, tile: Tile, width_px: int, height_px: int) -> Faces:
    """Returns the faces of a tile that no border inside the picture cuts.

    Args:
        faces: in pixels of the picture.
        tile: in pixels of the picture.
        width_px, height_px: of the picture.
    """
    size = faces.boxes[:, 2:] - faces.boxes[:, :2]
    clearance = _CLEARANCE * size.max(axis=1, initial=0)
    boxes = faces.boxes
    is_whole = np.ones(len(faces), np.bool_)
    if tile.left > 0:
        is_whole &= boxes[:, 0] >= tile.left + clearance
    if tile.top > 0:
        is_whole &= boxes[:, 1] >= tile.top + clearance
    if tile.right < width_px:
        is_whole &= boxes[:, 2] <= tile.right - clearance
    if tile.bottom < height_px:
        is_whole &= boxes[:, 3] <= tile.bottom - clearance
    return faces[is_whole]


def _spans(length: int, longest: int, overlap: int) -> list[tuple[int, int]]:
    """Returns starts and ends of equal parts of a side, each at most `longest`, that overlap."""
    if length <= longest:
        return [(0, length)]
    if longest <= overlap:
        return []
    count = math.ceil((length - overlap) / (longest - overlap))
    part = math.ceil((length + (count - 1) * overlap) / count)
    starts = [(length - part) * k // (count - 1) for k in range(count)]
    return [(start, start + part) for start in starts]
