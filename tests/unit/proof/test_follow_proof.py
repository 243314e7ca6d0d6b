"""What follows faces is proven by where it comes to, and by what it finds where nothing is."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.proof import detector_proof, follow_proof

GOLDEN = follow_proof.GOLDEN_BOXES


class Following:
    """A model that returns these boxes and scores for any windows."""

    def __init__(self, boxes: np.ndarray, *scores: float) -> None:
        self._boxes = np.concatenate([boxes, np.zeros((1, 4))]).astype(np.float32)
        self._scores = np.array(scores, np.float32)

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        landmarks = np.zeros((len(self._boxes), 5, 2), np.float32)
        return {"boxes": self._boxes, "scores": self._scores, "landmarks": landmarks}


def test_the_windows_are_off_the_face_and_each_to_another_side() -> None:
    *off, plain = follow_proof.windows()
    overlaps = [detector_proof.iou(one, detector_proof.GOLDEN_BOX) for one in off]
    assert max(overlaps) < 0.6
    assert detector_proof.iou(off[0], off[1]) < min(overlaps)
    height, width = detector_proof.draw().shape[:2]
    assert (plain >= 0).all()
    assert (plain <= [width, height, width, height]).all()


async def test_a_model_that_comes_to_the_face_is_proven() -> None:
    await follow_proof.prove(Following(GOLDEN + 0.5, 0.96, 0.99, 0.01))


@pytest.mark.parametrize(
    ("boxes", "scores", "reason"),
    [
        pytest.param(follow_proof.windows()[:2], (0.9, 0.9, 0.1), "another place", id="as_sent"),
        pytest.param(GOLDEN[::-1] + 6, (0.9, 0.9, 0.1), "another place", id="elsewhere"),
        pytest.param(GOLDEN[:, [1, 0, 3, 2]], (0.9, 0.9, 0.1), "another place", id="y_before_x"),
        pytest.param(GOLDEN / 160, (0.9, 0.9, 0.1), "another place", id="in_shares"),
        pytest.param(GOLDEN, (0.9, 0.9, 0.9), "a plain canvas with 0.9", id="all_are_faces"),
        pytest.param(GOLDEN, (0.9, 0.2, 0.1), "the score 0.2", id="none_is_a_face"),
        pytest.param(GOLDEN[:1], (0.9, 0.9), "3 windows to 2 faces", id="a_row_is_missing"),
    ],
)
async def test_another_answer_proves_nothing(
    boxes: np.ndarray, scores: tuple[float, ...], reason: str
) -> None:
    with pytest.raises(ModelUnavailable, match=reason):
        await follow_proof.prove(Following(boxes, *scores))
