"""A detector is proven by the face that it finds, not by answering."""

import hashlib
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.proof import detector_proof

DIGEST = "627070b869012519fbb566167e1bf4775549346377d7a308425dfeba040d77f0"


class Finding:
    """A model that finds the same boxes in any picture."""

    def __init__(self, *boxes: np.ndarray) -> None:
        self._boxes = np.array(boxes, np.float32).reshape(-1, 4)

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        count = len(self._boxes)
        return {
            "boxes": self._boxes,
            "scores": np.full(count, 0.99, np.float32),
            "landmarks": np.zeros((count, 5, 2), np.float32),
        }


def test_the_drawing_never_changes() -> None:
    canvas = detector_proof.draw()
    assert canvas.shape == (160, 240, 3)
    assert hashlib.sha256(canvas.tobytes()).hexdigest() == DIGEST


async def test_a_detector_that_finds_the_face_is_proven() -> None:
    await detector_proof.prove(Finding(detector_proof.GOLDEN_BOX + 2))


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ((), "finds 0 faces"),
        ((detector_proof.GOLDEN_BOX, detector_proof.GOLDEN_BOX + 80), "finds 2 faces"),
        ((detector_proof.GOLDEN_BOX + 6,), r"IoU of its box is 0\.7"),
        ((detector_proof.GOLDEN_BOX + 100,), r"IoU of its box is 0\.000"),
        ((detector_proof.GOLDEN_BOX[[1, 0, 3, 2]],), "IoU of its box is 0"),
        ((detector_proof.GOLDEN_BOX / 160,), "IoU of its box is 0"),
    ],
)
async def test_another_answer_proves_nothing(boxes: tuple[np.ndarray, ...], reason: str) -> None:
    with pytest.raises(ModelUnavailable, match=reason):
        await detector_proof.prove(Finding(*boxes))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ([0, 0, 10, 10], 1.0),
        ([5, 0, 15, 10], 1 / 3),
        ([10, 10, 20, 20], 0.0),
        ([20, 0, 30, 10], 0.0),
        ([2, 2, 2, 2], 0.0),
    ],
)
def test_overlap_is_intersection_over_union(other: list[float], expected: float) -> None:
    box = np.array([0, 0, 10, 10], np.float32)
    assert detector_proof.iou(box, np.array(other, np.float32)) == pytest.approx(expected)
