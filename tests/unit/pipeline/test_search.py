"""Tiles find what one canvas is too coarse for, if the picture has the time."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.plan import SearchPlan, search_plan
from facewire_server.pipeline.search import Searched, search
from facewire_server.types import CANVAS_MIN_FACE_PX, DetectionOptions
from facewire_server.work.clock import Clock
from facewire_server.work.deadline import time_limit

OPTIONS = DetectionOptions(0.9, 50, 1 / 32, max_tiles=8)
SIZE_PX = (9000, 400)
PLAN: SearchPlan = search_plan(*SIZE_PX, OPTIONS)
MARKS_PX = (60, 1700, 3333, 5200, 8900)
"""Left edges of white squares of 30 px in the black picture; some lie where tiles overlap."""


class Squares:
    """Finds white squares as faces if they are at least 20 px wide on the canvas.

    Attributes:
        canvases: sizes of what it was shown.
        slow_s: processor seconds of a prediction.
    """

    def __init__(self, slow_s: float = 0.0) -> None:
        self.canvases: list[tuple[int, int]] = []
        self.slow_s = slow_s

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        until_s = time.perf_counter() + self.slow_s
        while time.perf_counter() < until_s:
            pass
        image = inputs["image"]
        self.canvases.append((image.shape[1], image.shape[0]))
        white = image[..., 0] > 230
        columns = np.flatnonzero(np.diff(np.pad(white.any(axis=0), 1).astype(int)))
        rows = np.flatnonzero(white.any(axis=1))
        boxes = [
            (left, rows[0], right, rows[-1] + 1)
            for left, right in columns.reshape(-1, 2).tolist()
            if right - left >= 20
        ]
        table = np.array(boxes, np.float32).reshape(-1, 4)
        landmarks = np.repeat(table[:, None, :2], 5, axis=1)
        scores = np.full(len(table), 0.95, np.float32)
        return {"boxes": table, "scores": scores, "landmarks": landmarks}


@pytest.fixture
def clock() -> Iterator[Clock]:
    with ThreadPoolExecutor(1) as threads:
        yield Clock(threads)


def picture() -> NDArray[np.uint8]:
    image = np.full((SIZE_PX[1], SIZE_PX[0], 3), 100, np.uint8)  # not dark
    for left in MARKS_PX:
        image[200:230, left : left + 30] = 255
    return image


def lefts(found: Searched) -> list[int]:
    return sorted(found.faces.boxes[:, 0].round().astype(int).tolist())


async def test_a_coarser_detector_states_a_larger_smallest_face(clock: Clock) -> None:
    coarse = DetectionOptions(min_score=0.9, max_faces=9, short_side_fraction=1 / 4)
    plan = search_plan(*SIZE_PX, coarse)
    fine, twice = [
        await search(picture(), plan, Detector(Squares(), min_face_px=side), coarse, clock)
        for side in (CANVAS_MIN_FACE_PX, 2 * CANVAS_MIN_FACE_PX)
    ]
    assert twice.smallest_face_px == 2 * fine.smallest_face_px


async def test_faces_too_small_for_one_canvas_are_found_in_tiles_each_once(clock: Clock) -> None:
    model = Squares()
    found = await search(picture(), PLAN, Detector(model), OPTIONS, clock)
    assert np.allclose(lefts(found), MARKS_PX, atol=3)
    np.testing.assert_allclose(found.faces.boxes[:, 1], 200, atol=3)
    np.testing.assert_allclose(found.faces.landmarks[:, 0], found.faces.boxes[:, :2], atol=1)
    assert found.smallest_face_px == pytest.approx(400 / 32)
    assert len(set(model.canvases[1:])) == 1  # equal tiles: the engine prepares itself once


async def test_a_picture_without_the_time_for_its_tiles_returns_what_one_canvas_shows(
    clock: Clock,
) -> None:
    model = Squares(slow_s=1.0)
    async with time_limit(5):
        found = await search(picture(), PLAN, Detector(model), OPTIONS, clock)
    assert len(model.canvases) == 1
    assert lefts(found) == []
    assert found.smallest_face_px == PLAN.smallest_face_px > 400 / 32


class Doubting(Squares):
    """The same; each square is almost surely a face. Its O-Net is sure.

    Attributes:
        least: the lowest score that was asked for, of each call.
    """

    def __init__(self) -> None:
        super().__init__()
        self.least: list[float] = []

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        if "boxes" in inputs:
            boxes = inputs["boxes"]
            points = np.repeat(boxes[:, None, :2], 5, axis=1)
            return {"boxes": boxes, "scores": np.full(len(boxes), 0.97, "f4"), "landmarks": points}
        self.least.append(float(inputs["thresholds"][2]))
        found = await super().predict(inputs)
        scores = np.full(len(found["scores"]), 0.75, np.float32)
        return {name: rows[scores >= self.least[-1]] for name, rows in found.items()} | {
            "scores": scores[scores >= self.least[-1]]
        }


async def test_what_is_almost_a_face_is_looked_at_again_in_tiles_too(clock: Clock) -> None:
    model = Doubting()
    once = await search(picture(), PLAN, Detector(model), OPTIONS, clock)
    assert lefts(once) == []
    assert set(np.round(model.least, 6)) == {0.9}

    found = await search(picture(), PLAN, Detector(model), OPTIONS, clock, Follower(model))
    assert np.allclose(lefts(found), MARKS_PX, atol=3)
    np.testing.assert_allclose(found.faces.scores, 0.97, atol=1e-3)
    assert min(model.least) == pytest.approx(0.6)


async def test_a_dark_picture_is_looked_at_again_in_better_light(clock: Clock) -> None:
    dark = (picture() // 8).astype(np.uint8)
    model = Doubting()
    found = await search(dark, PLAN, Detector(model), OPTIONS, clock, Follower(model))
    assert np.allclose(lefts(found), MARKS_PX, atol=3)


async def test_without_tiles_the_answer_says_how_coarse_the_search_was(clock: Clock) -> None:
    coarse = DetectionOptions(0.9, 50, 1 / 32)
    plan = search_plan(*SIZE_PX, coarse)
    found = await search(picture(), plan, Detector(Squares()), coarse, clock)
    assert found.smallest_face_px == pytest.approx(20 * SIZE_PX[0] / 4096)
