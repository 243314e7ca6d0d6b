"""How finely a picture is searched: on one canvas, and in tiles if one canvas is too small for what is wanted."""

from dataclasses import dataclass
from typing import Final

from facewire_server.pipeline.canvas import (
    MAX_CANVAS_PIXELS,
    MAX_CANVAS_SIDE_PX,
    SMALLEST_FACE_PX,
    canvas_scale,
    wanted_scale,
)
from facewire_server.pipeline.tiles import Tile, largest_face_px, tiled
from facewire_server.types import CANVAS_MIN_FACE_PX, DetectionOptions

__all__ = ["SearchPlan", "search_plan", "tiles_of"]

_LEAST_GAIN: Final = 1.1
"""Ratio of the tiles' scale to the canvas' under which tiles are not worth their time. Chosen, not measured."""

_COARSER: Final = 0.95
"""Factor by which the tiles' scale goes down until there are few enough. Chosen, not measured."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """The sizes at which a picture is searched.

    Attributes:
        short_side_px: of the canvas that shows the whole picture.
        smallest_face_px: side of the smallest face that is searched for on it, pixels of the picture: at least
            `SMALLEST_FACE_PX`, though the canvas of a tiny picture shows smaller ones.
        least_short_side_px: that the picture must keep if it is decoded at a reduced size.
        tiled_long_side_px: longer side of the larger canvas that is cut into tiles; 0 = there are no tiles.
        tiled_smallest_face_px: side of the smallest face on the tiles, pixels of the picture; bounded likewise.
        finer_by: ratio of the tiles' scale to the canvas'.
    """

    short_side_px: int
    smallest_face_px: float
    least_short_side_px: int
    tiled_long_side_px: int = 0
    tiled_smallest_face_px: float = 0.0
    finer_by: float = 1.0


def search_plan(width_px: int, height_px: int, options: DetectionOptions) -> SearchPlan:
    """Returns how to search a picture of this size, upright or not."""
    short, long = sorted((width_px, height_px))
    scale = canvas_scale(width_px, height_px, options)
    short_side_px, smallest_px = max(1, round(short * scale)), _smallest_px(scale)
    finer = wanted_scale(short, options)
    while options.max_tiles and finer >= _LEAST_GAIN * scale:
        tiled_short, tiled_long = max(1, round(short * finer)), max(1, round(long * finer))
        if 0 < len(_tiles(tiled_long, tiled_short, finer / scale)) <= options.max_tiles:
            return SearchPlan(
                short_side_px,
                smallest_px,
                tiled_short,
                tiled_long,
                _smallest_px(finer),
                finer / scale,
            )
        finer *= _COARSER
    return SearchPlan(short_side_px, smallest_px, short_side_px)


def _smallest_px(scale: float) -> float:
    """Returns the side of the smallest face that is searched for on a canvas of this scale."""
    return max(SMALLEST_FACE_PX, CANVAS_MIN_FACE_PX / scale)


def tiles_of(width_px: int, height_px: int, plan: SearchPlan) -> list[Tile]:
    """Returns the tiles of the plan's larger canvas, of this width and height."""
    return _tiles(width_px, height_px, plan.finer_by)


def _tiles(width_px: int, height_px: int, finer_by: float) -> list[Tile]:
    return tiled(
        width_px,
        height_px,
        largest_face_px(CANVAS_MIN_FACE_PX, finer_by),
        max_pixels=MAX_CANVAS_PIXELS,
        max_side_px=MAX_CANVAS_SIDE_PX,
    )
