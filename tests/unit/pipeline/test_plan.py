"""A picture is searched as finely as asked, in tiles if one canvas is too small, and the plan says how finely."""

import pytest

from facewire_server.pipeline.canvas import (
    MAX_CANVAS_PIXELS,
    MAX_CANVAS_SIDE_PX,
    SMALLEST_FACE_PX,
)
from facewire_server.pipeline.plan import search_plan, tiles_of
from facewire_server.pipeline.tiles import Tile
from facewire_server.types import CANVAS_MIN_FACE_PX, DetectionOptions

SINGLE = DetectionOptions(0.9, 10, 1 / 32, max_tiles=8)
STREAM = DetectionOptions(0.9, 10, 1 / 16)


def planned_tiles(width: int, height: int, options: DetectionOptions) -> list[Tile]:
    plan = search_plan(width, height, options)
    by = plan.tiled_long_side_px / max(width, height)
    return tiles_of(max(1, round(width * by)), max(1, round(height * by)), plan)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (8000, 6000), (160, 160), (384, 54)])
@pytest.mark.parametrize("options", [SINGLE, STREAM])
def test_what_one_canvas_shows_finely_enough_has_no_tiles(
    size: tuple[int, int], options: DetectionOptions
) -> None:
    plan = search_plan(*size, options)
    assert plan.tiled_long_side_px == 0
    assert plan.smallest_face_px <= max(8, min(size) * options.short_side_fraction) * 1.0001
    assert plan.least_short_side_px == plan.short_side_px


@pytest.mark.parametrize("size", [(16_000, 2000), (2000, 16_000), (7680, 360), (30_000, 1000)])
def test_a_panorama_is_searched_in_tiles_as_finely_as_any_picture(size: tuple[int, int]) -> None:
    plan = search_plan(*size, SINGLE)
    assert plan.smallest_face_px > min(size) / 32 * 1.2
    assert plan.tiled_smallest_face_px == pytest.approx(min(size) / 32)
    assert plan.least_short_side_px == 640


def test_a_stream_has_no_tiles_and_its_plan_says_how_coarse_it_is() -> None:
    plan = search_plan(30_000, 1000, STREAM)
    assert plan.tiled_long_side_px == 0
    assert plan.smallest_face_px == pytest.approx(CANVAS_MIN_FACE_PX * 30_000 / MAX_CANVAS_SIDE_PX)


@pytest.mark.parametrize(
    "size", [(65_535, 700), (8000, 6000), (1, 65_535), (65_535, 1), (20_000, 8), (3, 5000)]
)
@pytest.mark.parametrize("min_face_px", [0, 8, 65_535])
def test_the_tiles_are_bounded_whatever_is_asked_for(
    size: tuple[int, int], min_face_px: int
) -> None:
    options = DetectionOptions(0.9, 10, 1 / 32, min_face_px, max_tiles=8)
    if search_plan(*size, options).tiled_long_side_px == 0:
        return
    tiles = planned_tiles(*size, options)
    assert 1 <= len(tiles) <= 8
    for left, top, right, bottom in tiles:
        assert (right - left) * (bottom - top) <= MAX_CANVAS_PIXELS
        assert max(right - left, bottom - top) <= MAX_CANVAS_SIDE_PX


def test_what_is_too_fine_for_the_tiles_is_searched_as_finely_as_they_allow() -> None:
    plan = search_plan(8000, 6000, DetectionOptions(0.9, 10, 1 / 32, 8, max_tiles=8))
    assert 8 < plan.tiled_smallest_face_px < plan.smallest_face_px / 2


@pytest.mark.parametrize("size", [(8000, 200), (200, 8000), (6000, 230)])
def test_no_face_below_the_least_is_said_to_be_searched_for_on_tiles(size: tuple[int, int]) -> None:
    plan = search_plan(*size, SINGLE)
    assert plan.tiled_long_side_px
    assert plan.tiled_smallest_face_px == SMALLEST_FACE_PX
    assert plan.finer_by > plan.smallest_face_px / plan.tiled_smallest_face_px
    assert 1 <= len(planned_tiles(*size, SINGLE)) <= 8
