"""A picture is searched on a canvas just large enough, and answers are checked."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.detect import (
    CANVAS_MIN_FACE_PX,
    MAX_CANVAS_PIXELS,
    Detector,
    canvas_short_side,
    draw_canvas,
    useful_longest_side,
)
from facewire_server.types import DetectionOptions

OPTIONS = DetectionOptions(min_score=0.9, max_faces=3, short_side_fraction=1 / 16)


class Answering:
    """A model that returns the same outputs, and keeps the inputs."""

    def __init__(self, **answer: np.ndarray) -> None:
        self.answer = answer

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        self.inputs = inputs
        return self.answer


def faces(*scores: float) -> dict[str, np.ndarray]:
    count = len(scores)
    return {
        "boxes": np.arange(count * 4, dtype=np.float32).reshape(count, 4),
        "scores": np.array(scores, np.float32),
        "landmarks": np.zeros((count, 5, 2), np.float32),
    }


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (640, 360), (8000, 6000)])
def test_the_default_canvas_has_one_shorter_side_for_pictures_of_any_size(
    size: tuple[int, int],
) -> None:
    assert canvas_short_side(*size, OPTIONS) == 16 * CANVAS_MIN_FACE_PX


def test_the_canvas_of_a_thin_strip_is_bounded_by_its_longer_side() -> None:
    assert canvas_short_side(97, 5000, OPTIONS) == round(97 * 4096 / 5000)


def test_the_canvas_of_a_picture_in_which_tiny_faces_are_wanted_is_bounded_by_its_pixels() -> None:
    options = DetectionOptions(0.9, 10, 1 / 16, min_face_px=2)
    assert canvas_short_side(640, 360, options) == round((MAX_CANVAS_PIXELS * 360 / 640) ** 0.5)


def test_small_faces_in_a_small_picture_enlarge_it() -> None:
    options = DetectionOptions(0.9, 10, 1 / 16, min_face_px=10)
    assert canvas_short_side(640, 360, options) == 720


@pytest.mark.parametrize(
    "size", [(8000, 6000), (65_535, 700), (1, 65_535), (65_535, 1), (20_000, 8), (3, 5000)]
)
@pytest.mark.parametrize("min_face_px", [0, 8, 65_535])
def test_the_canvas_is_bounded_whatever_is_asked_for(size, min_face_px) -> None:
    width, height = size
    short = canvas_short_side(width, height, DetectionOptions(0.9, 10, 1 / 16, min_face_px))
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


async def test_faces_come_by_score_and_no_more_than_wanted() -> None:
    found = await Detector(Answering(**faces(0.91, 0.99, 0.95, 0.97))).detect(
        np.zeros((30, 30, 3), np.uint8), OPTIONS
    )
    np.testing.assert_allclose(found.scores, [0.99, 0.97, 0.95])
    np.testing.assert_array_equal(found.boxes[0], [4, 5, 6, 7])


async def test_the_score_wanted_is_the_last_threshold() -> None:
    model = Answering(**faces())
    await Detector(model).detect(np.zeros((30, 30, 3), np.uint8), OPTIONS)
    np.testing.assert_allclose(model.inputs["thresholds"], [0.6, 0.7, 0.9])
    low = DetectionOptions(min_score=0.1, max_faces=3, short_side_fraction=1 / 16)
    await Detector(model).detect(np.zeros((30, 30, 3), np.uint8), low)
    np.testing.assert_allclose(model.inputs["thresholds"], [0.6, 0.7, 0.7])


@pytest.mark.parametrize(
    "wrong",
    [
        {"boxes": np.zeros((1, 4))},
        faces(0.9) | {"boxes": np.zeros((2, 4))},
        faces(0.9) | {"landmarks": np.zeros((1, 10))},
        faces(0.9) | {"scores": np.full(1, np.nan)},
        faces(0.9) | {"scores": np.full((1, 2), 0.9)},
        faces(0.9) | {"boxes": np.full((1, 4), np.inf)},
        faces(0.9) | {"landmarks": np.full((1, 5, 2), np.nan)},
    ],
)
async def test_an_answer_that_is_not_faces_is_no_answer(wrong: dict[str, np.ndarray]) -> None:
    with pytest.raises(ModelUnavailable):
        await Detector(Answering(**wrong)).detect(np.zeros((30, 30, 3), np.uint8), OPTIONS)
