"""What is almost surely a face is looked at again, plain and mirrored, and both looks decide."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.ports import Model
from facewire_server.pipeline.second_look import looked_at_again
from facewire_server.types import DetectionOptions, Faces
from facewire_server.work.clock import Clock

OPTIONS = DetectionOptions(min_score=0.9, max_faces=200, short_side_fraction=1 / 16)
CANVAS = np.zeros((240, 320, 3), np.uint8)
SHARES = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
"""Landmarks in shares of the box."""


class Looks:
    """The model of a follower: finds each window's face in the window.

    Attributes:
        sheets: what it was shown.
        windows: what it was asked about.
    """

    def __init__(self, plain: float, mirrored: float) -> None:
        self._scores = plain, mirrored
        self.sheets: list[NDArray[np.uint8]] = []
        self.windows: list[NDArray[np.float32]] = []

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        boxes = inputs["boxes"]
        self.sheets.append(inputs["image"])
        self.windows.append(boxes)
        count = len(boxes) // 2
        return {
            "boxes": boxes,
            "scores": np.repeat(np.array(self._scores, np.float32), count),
            "landmarks": points_of(boxes),
        }


class Failing:
    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        raise ModelUnavailable("it has lost the signature")


@pytest.fixture
def clock() -> Iterator[Clock]:
    with ThreadPoolExecutor(1) as threads:
        yield Clock(threads)


def points_of(boxes: NDArray) -> NDArray[np.float32]:
    sides = boxes[:, None, 2:] - boxes[:, None, :2]
    return (boxes[:, None, :2] + SHARES * sides).astype(np.float32)


def faces(*rows: tuple[tuple[float, ...], float]) -> Faces:
    boxes = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
    return Faces(boxes, np.array([score for _, score in rows], np.float32), points_of(boxes))


async def looked(
    found: Faces,
    model: Model,
    clock: Clock,
    *,
    source: NDArray[np.uint8] = CANVAS,
    options: DetectionOptions = OPTIONS,
) -> Faces:
    return await looked_at_again(found, CANVAS, source, options, Follower(model), clock)


async def test_faces_that_are_sure_cost_nothing_and_stay_as_they_are(clock: Clock) -> None:
    model = Looks(0.0, 0.0)
    found = faces(((10, 10, 40, 50), 0.99), ((90, 90, 120, 130), 0.9))
    again = await looked(found, model, clock)
    assert not model.sheets
    np.testing.assert_array_equal(again.boxes, found.boxes)
    np.testing.assert_array_equal(again.scores, found.scores)


@pytest.mark.parametrize(
    ("plain", "mirrored", "score"),
    [
        (0.95, 0.95, 0.95),
        (0.99, 0.6, 0.924),  # logits 4.60 and 0.41
        (0.6, 0.99, 0.924),
        (0.99, 0.2, None),  # logits 4.60 and -1.39: 0.83
        (0.89, 0.89, None),
        (1.0, 0.0, None),
    ],
)
async def test_the_mean_of_both_looks_decides(
    clock: Clock, plain: float, mirrored: float, score: float | None
) -> None:
    again = await looked(faces(((60, 70, 90, 108), 0.7)), Looks(plain, mirrored), clock)
    expected = [] if score is None else [score]
    np.testing.assert_allclose(again.scores, expected, atol=0.002)


@pytest.mark.parametrize(
    "box",
    [
        (60, 70, 90, 108),
        (60.3, 70.6, 72.1, 84.9),
        (-8, -5, 20, 28),
        (300, 215, 335, 252),
        (-20, -60, 330, 300),  # larger than the picture
        (10, 100, 310, 130),
    ],
)
async def test_the_face_of_a_look_that_moves_no_window_is_where_it_was(
    clock: Clock, box: tuple[float, ...]
) -> None:
    found = faces((box, 0.7))
    for factor in (1, 3):  # the picture is as large as the canvas, or larger
        source = np.zeros((240 * factor, 320 * factor, 3), np.uint8)
        again = await looked(found, Looks(0.97, 0.97), clock, source=source)
        np.testing.assert_allclose(again.boxes, found.boxes, atol=0.01)
        np.testing.assert_allclose(again.landmarks, found.landmarks, atol=0.01)


@pytest.mark.parametrize("box", [(100, 80, 130, 118), (0, 0, 30, 30), (298, 200, 328, 238)])
async def test_each_look_shows_the_face_in_its_window(clock: Clock, box: tuple[int, ...]) -> None:
    """The left half of the face is red, the right half blue, all else is black."""
    source = np.zeros((480, 640, 3), np.uint8)
    left, top, right, bottom = (2 * side for side in box)
    middle = (left + right) // 2
    source[top:bottom, left:middle, 0] = 255
    source[top:bottom, middle:right, 2] = 255
    model = Looks(0.97, 0.97)
    await looked(faces((box, 0.7)), model, clock, source=source)
    (sheet,), (windows,) = model.sheets, model.windows
    for window, is_mirrored in zip(windows, (False, True), strict=True):
        x1, y1, x2, y2 = window
        at_left, at_right = (
            sheet[round((3 * y1 + y2) / 4), round(x1 + (x2 - x1) * share)].tolist()
            for share in (0.2, 0.8)
        )
        red, blue = (at_right, at_left) if is_mirrored else (at_left, at_right)
        assert red == [255, 0, 0]
        if right <= source.shape[1]:
            assert blue == [0, 0, 255]


async def test_a_large_face_is_averaged_not_sampled(clock: Clock) -> None:
    """A pattern of single pixels, black and white, is gray at a tenth of its size."""
    source = np.zeros((960, 1280, 3), np.uint8)
    source[::2, ::2] = source[1::2, 1::2] = 255
    model = Looks(0.97, 0.97)
    await looked(faces(((60, 20, 250, 210), 0.7)), model, clock, source=source)
    inner = model.sheets[0][30:60, 30:60]
    assert np.abs(inner.astype(int) - 127).max() < 40


async def test_a_window_that_moved_onto_a_sure_face_is_no_second_one(clock: Clock) -> None:
    sure, beside = (60, 70, 90, 108), (62, 72, 90, 106)
    again = await looked(faces((sure, 0.96), (beside, 0.7)), Looks(0.95, 0.95), clock)
    np.testing.assert_array_equal(again.boxes, [sure])


async def test_if_the_follower_fails_the_sure_faces_are_left(clock: Clock) -> None:
    sure = (60, 70, 90, 108)
    again = await looked(faces((sure, 0.96), ((160, 70, 190, 108), 0.7)), Failing(), clock)
    np.testing.assert_array_equal(again.boxes, [sure])


async def test_the_work_and_the_answer_are_bounded(clock: Clock) -> None:
    rows = [((x, y, x + 12, y + 12), 0.8) for y in range(0, 220, 20) for x in range(0, 300, 20)]
    model = Looks(0.97, 0.97)
    again = await looked(faces(((300, 220, 318, 238), 0.99), *rows), model, clock)
    assert sum(map(len, model.windows)) == 2 * 64
    assert max(map(len, model.windows)) <= 32
    assert len(again) == 65
    np.testing.assert_allclose(again.scores[0], 0.99)
    few = DetectionOptions(min_score=0.9, max_faces=3, short_side_fraction=1 / 16)
    assert len(await looked(faces(*rows), model, clock, options=few)) == 3


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16, 17])
async def test_sheets_have_few_sizes(clock: Clock, count: int) -> None:
    rows = [((20.0 * row, 5, 20.0 * row + 14, 20), 0.8) for row in range(count)]
    model = Looks(0.97, 0.97)
    again = await looked(faces(*rows), model, clock)
    np.testing.assert_allclose(np.sort(again.boxes[:, 0]), 20.0 * np.arange(count), atol=0.01)
    assert {sheet.shape[0] for sheet in model.sheets} <= {96, 192, 384, 768, 1536}
