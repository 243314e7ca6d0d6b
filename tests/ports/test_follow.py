"""Following a face: one test for the fake, the embedded engine, and TensorFlow Serving's API."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.backends.tfserving import TfServingModel
from facewire_server.pipeline.follow import Follower
from facewire_server.proof import detector_proof, follow_proof, signature
from facewire_server.proof.proven import ProvenModel
from fakes.models import FakeFollow

FACE = detector_proof.GOLDEN_BOX
NOBODY = np.array([130, 20, 214, 128], np.float32)
"""A window of the same size, where the drawing is plain."""

ODD_WINDOWS = {
    "nan": [np.nan, 20, 120, 140],
    "infinite": [-np.inf, 20, np.inf, 140],
    "a_point": [80, 80, 80, 80],
    "a_line": [40, 80, 120, 80],
    "inverted": [121, 143, 37, 35],
    "inverted_in_width": [121, 35, 37, 143],
    "far_outside": [5000, 5000, 5100, 5100],
    "far_before": [-5100, -5100, -5000, -5000],
    "beyond_numbers": [1e38, 1e38, 3e38, 3e38],
    "all_there_is": [-3e38, -3e38, 3e38, 3e38],
    "a_thousandth": [80, 80, 80.001, 80.001],
}


@pytest.fixture(params=["fake", "embedded", "served"])
async def follower(request: pytest.FixtureRequest, models: Path) -> AsyncIterator[Follower]:
    if request.param == "fake":
        yield Follower(FakeFollow())
    elif request.param == "embedded":
        with closing(OpenVinoModel(models / "mtcnn", "follow", threads=2)) as engine:
            yield Follower(engine)
    else:
        mtcnn, _ = request.getfixturevalue("served_models")
        served = TfServingModel("mtcnn", mtcnn.address, signature.FOLLOW)
        yield Follower(ProvenModel(served, follow_proof.prove))
        await served.close()


def canvas() -> np.ndarray:
    return detector_proof.draw()


@pytest.mark.parametrize("shift", [(0, 0), (8, 0), (0, 10), (-12, 6), (10, -14)])
@pytest.mark.parametrize("size", [0.8, 1.0, 1.2])
async def test_a_face_is_found_again_from_a_window_that_is_off(
    follower: Follower, shift: tuple[int, int], size: float
) -> None:
    center, half = (
        (FACE[:2] + FACE[2:]) / 2 + np.array(shift, np.float32),
        (FACE[2:] - FACE[:2]) / 2 * size,
    )
    found = await follower.follow(canvas(), np.concatenate([center - half, center + half])[None])
    assert detector_proof.iou(found.boxes[0], FACE) > 0.8
    assert found.scores[0] > 0.9
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks[0]
    assert FACE[0] < left_eye[0] < nose[0] < right_eye[0] < FACE[2]
    assert FACE[1] < left_eye[1] < nose[1] < left_mouth[1] < FACE[3]
    assert left_mouth[0] < right_mouth[0]


async def test_a_window_without_a_face_scores_low(follower: Follower) -> None:
    assert (await follower.follow(canvas(), NOBODY[None])).scores[0] < 0.1


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 9, 70])
async def test_every_window_gets_a_row(follower: Follower, count: int) -> None:
    found = await follower.follow(canvas(), np.tile(FACE, (count, 1)))
    arrays = found.boxes, found.scores, found.landmarks
    assert [one.shape for one in arrays] == [(count, 4), (count,), (count, 5, 2)]
    assert {one.dtype.name for one in arrays} == {"float32"}
    assert (found.scores > 0.9).all()


async def test_a_row_is_the_same_in_any_company(follower: Follower) -> None:
    odd = np.array(list(ODD_WINDOWS.values()), np.float32)
    windows = np.concatenate([FACE[None], odd, NOBODY[None], FACE[None] + 4])
    together = await follower.follow(canvas(), windows)
    for row, window in enumerate(windows):
        alone = await follower.follow(canvas(), window[None])
        np.testing.assert_allclose(together.scores[row], alone.scores[0], atol=1e-4)
        if np.abs(together.boxes[row]).max() < 1e4:  # beyond, float32 has no such decimals
            np.testing.assert_allclose(together.boxes[row], alone.boxes[0], atol=0.01)
            np.testing.assert_allclose(together.landmarks[row], alone.landmarks[0], atol=0.01)


@pytest.mark.parametrize("window", ODD_WINDOWS.values(), ids=ODD_WINDOWS.keys())
async def test_a_window_that_is_none_scores_low_and_fails_nothing(
    follower: Follower, window: list[float]
) -> None:
    found = await follower.follow(canvas(), np.array([window, FACE], np.float32))
    assert found.scores[0] < 0.1
    assert found.scores[1] > 0.9
