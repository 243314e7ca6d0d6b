"""What a detector returns is checked, and ordered by score."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.detect import Detector
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
