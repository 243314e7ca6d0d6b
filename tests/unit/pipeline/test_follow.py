"""Each window gets the face of its own row, whatever the model returns and however many windows there are."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.follow import Follower

CANVAS = np.zeros((30, 40, 3), np.uint8)


class Echoing:
    """A model that returns each window as the box of its row, and counts the windows of each call."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        boxes = inputs["boxes"]
        self.counts.append(len(boxes))
        return answer(len(boxes)) | {"boxes": boxes, "scores": boxes[:, 0] / 1000}


class Answering:
    """A model that returns the same outputs."""

    def __init__(self, **answer: np.ndarray) -> None:
        self._answer = answer

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        return self._answer


def answer(count: int) -> dict[str, np.ndarray]:
    return {
        "boxes": np.zeros((count, 4), np.float32),
        "scores": np.zeros(count, np.float32),
        "landmarks": np.zeros((count, 5, 2), np.float32),
    }


def windows(count: int) -> np.ndarray:
    return np.arange(count * 4, dtype=np.float32).reshape(count, 4)


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 200])
async def test_the_faces_come_in_the_order_of_the_windows(count: int) -> None:
    model = Echoing()
    found = await Follower(model).follow(CANVAS, windows(count))
    np.testing.assert_array_equal(found.boxes, windows(count))
    np.testing.assert_array_equal(found.scores, windows(count)[:, 0] / 1000)
    assert found.landmarks.shape == (count, 5, 2)
    assert sum(model.counts) == count
    assert max(model.counts) <= 32


async def test_without_a_window_the_model_is_not_called() -> None:
    model = Echoing()
    found = await Follower(model).follow(CANVAS, windows(0))
    assert (len(found), found.boxes.shape, found.landmarks.shape) == (0, (0, 4), (0, 5, 2))
    assert model.counts == []


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        answer(1),
        answer(3),
        answer(2) | {"landmarks": np.zeros((2, 10), np.float32)},
        answer(2) | {"scores": np.full(2, np.nan, np.float32)},
    ],
)
async def test_an_answer_that_is_not_a_face_for_each_window_is_none(wrong) -> None:
    with pytest.raises(ModelUnavailable):
        await Follower(Answering(**wrong)).follow(CANVAS, windows(2))
