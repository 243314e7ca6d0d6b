"""A face of which the cascade is almost sure is found at the second look, by both engines alike; without one it is lost."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.backends.tfserving import TfServingModel
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.plan import search_plan
from facewire_server.pipeline.ports import Model
from facewire_server.pipeline.search import search
from facewire_server.pipeline.second_look import ALMOST_SURE
from facewire_server.proof import canary, detector_proof, follow_proof, signature
from facewire_server.proof.proven import ProvenModel
from facewire_server.types import DetectionOptions, Faces, Rgb
from facewire_server.work.clock import Clock

OPTIONS = DetectionOptions(min_score=0.9, max_faces=9, short_side_fraction=1 / 18)
SIZE_PX = (480, 360)
FACE_PX = (30, 20, 52, 42)


@pytest.fixture(params=["embedded", "served"])
async def both(request: pytest.FixtureRequest, models: Path) -> AsyncIterator[tuple[Model, Model]]:
    """The two signatures of one engine."""
    if request.param == "embedded":
        with (
            closing(OpenVinoModel(models / "mtcnn", threads=1)) as detects,
            closing(OpenVinoModel(models / "mtcnn", "follow", threads=1)) as follows,
        ):
            yield detects, follows
        return
    mtcnn, _ = request.getfixturevalue("served_models")
    detecting = TfServingModel("mtcnn", mtcnn.address, signature.MTCNN)
    following = TfServingModel("mtcnn", mtcnn.address, signature.FOLLOW)
    yield (
        ProvenModel(detecting, detector_proof.prove),
        ProvenModel(following, follow_proof.prove),
    )
    await detecting.close()
    await following.close()


def pale_face() -> Rgb:
    """The drawn face of the proofs, small and pale before gray."""
    left, top, right, bottom = FACE_PX
    pale = ((canary.crops()[-1] - 127.0) * 0.3 + 127).astype(np.uint8)
    picture = np.full((SIZE_PX[1], SIZE_PX[0], 3), 127, np.uint8)
    picture[top:bottom, left:right] = cv2.resize(
        pale, (right - left, bottom - top), interpolation=cv2.INTER_AREA
    )
    return picture


async def found_by(detector: Detector, follower: Follower | None = None) -> Faces:
    with ThreadPoolExecutor(1) as threads:
        plan, clock = search_plan(*SIZE_PX, OPTIONS), Clock(threads)
        return (await search(pale_face(), plan, detector, OPTIONS, clock, follower)).faces


async def test_the_second_look_finds_a_face_that_one_look_loses(
    both: tuple[Model, Model],
) -> None:
    detects, follows = both
    once = Detector(detects)
    (almost,) = (await once.propose(pale_face(), ALMOST_SURE)).scores
    assert ALMOST_SURE < almost < OPTIONS.min_score
    assert not len(await found_by(once))

    found = await found_by(once, Follower(follows))
    assert len(found) == 1
    assert OPTIONS.min_score <= found.scores[0] < 0.95
    assert detector_proof.iou(found.boxes[0], np.array(FACE_PX, np.float32)) > 0.4
