"""A picture is searched on a canvas just large enough."""

import numpy as np
import pytest

from facewire_server.pipeline.canvas import (
    MAX_CANVAS_PIXELS,
    draw_canvas,
    useful_longest_side,
)
from facewire_server.pipeline.plan import search_plan
from facewire_server.types import CANVAS_MIN_FACE_PX, DetectionOptions

OPTIONS = DetectionOptions(min_score=0.9, max_faces=3, short_side_fraction=1 / 16)


def short_side(width_px: int, height_px: int, options: DetectionOptions) -> int:
    """The shorter side of the canvas on which the whole picture is searched."""
    return search_plan(width_px, height_px, options).short_side_px


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (640, 360), (8000, 6000)])
def test_the_default_canvas_has_one_shorter_side_for_pictures_of_any_size(
    size: tuple[int, int],
) -> None:
    assert short_side(*size, OPTIONS) == 16 * CANVAS_MIN_FACE_PX


def test_the_canvas_of_a_thin_strip_is_bounded_by_its_longer_side() -> None:
    assert short_side(97, 5000, OPTIONS) == round(97 * 4096 / 5000)


def test_the_canvas_of_a_picture_in_which_tiny_faces_are_wanted_is_bounded_by_its_pixels() -> None:
    options = DetectionOptions(0.9, 10, 1 / 16, min_face_px=2)
    assert short_side(640, 360, options) == round((MAX_CANVAS_PIXELS * 360 / 640) ** 0.5)


def test_small_faces_in_a_small_picture_enlarge_it() -> None:
    options = DetectionOptions(0.9, 10, 1 / 16, min_face_px=10)
    assert short_side(640, 360, options) == 720


@pytest.mark.parametrize("size", [(4, 1), (1, 1), (54, 30), (384, 54), (160, 160), (255, 255)])
def test_a_small_picture_is_enlarged_for_faces_of_about_8_pixels_and_not_for_smaller_ones(
    size: tuple[int, int],
) -> None:
    short = short_side(*size, DetectionOptions(0.9, 10, 1 / 32))
    least = min(size) * CANVAS_MIN_FACE_PX / 8
    assert round(least) <= short <= round(least * 2**0.5)
    canvas = draw_canvas(np.zeros((*size[::-1], 3), np.uint8), short)
    assert max(canvas.shape) <= 4 * max(size)


def test_the_canvas_of_a_small_picture_is_whole_levels_of_the_pyramid_smaller() -> None:
    """Else its last level is too large to show a face that fills the picture."""
    single = DetectionOptions(0.9, 10, 1 / 32)
    assert [short_side(side, side, single) for side in (256, 250, 182, 160, 120)] == [
        640,
        640,
        640,
        453,
        320,
    ]


@pytest.mark.parametrize(
    "size", [(8000, 6000), (65_535, 700), (1, 65_535), (65_535, 1), (20_000, 8), (3, 5000)]
)
@pytest.mark.parametrize("min_face_px", [0, 8, 65_535])
def test_the_canvas_is_bounded_whatever_is_asked_for(size, min_face_px) -> None:
    width, height = size
    short = short_side(width, height, DetectionOptions(0.9, 10, 1 / 16, min_face_px))
    canvas = draw_canvas(np.zeros((height, width, 3), np.uint8), short)
    assert canvas.shape[0] * canvas.shape[1] <= MAX_CANVAS_PIXELS * 1.01
    assert 1 <= max(canvas.shape[:2]) <= 4096


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1, 1), (10, 10)), ((1, 300), (10, 3000)), ((2000, 30), (667, 10))],
)
def test_the_canvas_keeps_the_aspect_ratio(size: tuple[int, int], expected) -> None:
    canvas = draw_canvas(np.zeros((*size, 3), np.uint8), 10)
    assert canvas.shape == (*expected, 3)
    assert canvas.dtype == np.uint8


def test_a_picture_much_larger_than_its_canvas_is_averaged_not_sampled() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (800, 800, 3), dtype=np.uint8)
    assert draw_canvas(noise, 100).std() < 15  # a bilinear sample of noise would keep about 37


@pytest.mark.parametrize(
    ("size", "min_face_px", "longest_px"),
    [
        ((3840, 2160), 0, round(3840 * 112 / 135)),
        ((2160, 3840), 0, round(3840 * 112 / 135)),
        ((5000, 1792), 0, 0),  # its smallest face fills the crop just so
        ((3840, 2160), 100, 0),
    ],
)
def test_more_pixels_are_of_no_use_once_the_smallest_face_fills_the_crop(
    size: tuple[int, int], min_face_px: int, longest_px: int
) -> None:
    options = DetectionOptions(0.9, 10, 1 / 16, min_face_px)
    assert useful_longest_side(*size, options) == longest_px
