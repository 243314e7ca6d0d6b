"""Both engines pass the proofs of `mtcnn`'s signatures, and fail them if the canvas is prepared otherwise."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.backends.dlib_detector import DlibModel
from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.backends.tfserving import TfServingModel
from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.ports import Model
from facewire_server.proof import detector_proof, follow_proof, signature
from facewire_server.proof.proven import ProvenModel
from facewire_server.types import DetectionOptions

OPTIONS = DetectionOptions(min_score=0.95, max_faces=9, short_side_fraction=1 / 16)


class Fed:
    """A model whose canvas is changed on the way."""

    def __init__(self, model: Model, feed: Callable[[np.ndarray], np.ndarray]) -> None:
        self._model = model
        self._feed = feed

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        image = np.ascontiguousarray(self._feed(inputs["image"]))
        return await self._model.predict({**inputs, "image": image})


@pytest.fixture(params=["embedded", "dlib", "served"])
async def model(request: pytest.FixtureRequest, models: Path) -> AsyncIterator[Model]:
    if request.param == "embedded":
        with closing(OpenVinoModel(models / "mtcnn", threads=2)) as engine:
            yield engine
    elif request.param == "dlib":
        pytest.importorskip("dlib", reason="needs dlib-bin, the extra `dlib` of the server")
        with (
            closing(OpenVinoModel(models / "mtcnn", "follow", threads=2)) as refine,
            closing(DlibModel(refine)) as detector,
        ):
            yield detector
    else:
        mtcnn, _ = request.getfixturevalue("served_models")
        served = TfServingModel("mtcnn", mtcnn.address, signature.MTCNN)
        yield ProvenModel(served, detector_proof.prove)
        await served.close()


@pytest.fixture(params=["embedded", "served"])
async def follow_model(request: pytest.FixtureRequest, models: Path) -> AsyncIterator[Model]:
    if request.param == "embedded":
        with closing(OpenVinoModel(models / "mtcnn", "follow", threads=2)) as engine:
            yield engine
    else:
        mtcnn, _ = request.getfixturevalue("served_models")
        served = TfServingModel("mtcnn", mtcnn.address, signature.FOLLOW)
        yield ProvenModel(served, follow_proof.prove)
        await served.close()


async def test_the_drawn_face_is_found_where_it_is(model: Model) -> None:
    await detector_proof.prove(model)
    found = await Detector(model).detect(detector_proof.draw(), OPTIONS)
    # O-Net begins at the window that dlib proposes, and ends nearby.
    least = detector_proof.MIN_IOU if isinstance(model, DlibModel) else 0.999
    assert detector_proof.iou(found.boxes[0], detector_proof.GOLDEN_BOX) > least


WRONG_FEEDS = pytest.mark.parametrize(
    "feed",
    [
        pytest.param(lambda image: image[..., ::-1], id="blue_before_red"),
        pytest.param(lambda image: image[:, ::-1], id="mirrored"),
        pytest.param(lambda image: image[::-1], id="upside_down"),
        pytest.param(lambda image: image.swapaxes(0, 1), id="transposed"),
        pytest.param(lambda image: image[::2, ::2], id="halved"),
        pytest.param(lambda image: np.full_like(image, 127), id="empty"),
    ],
)


@WRONG_FEEDS
async def test_a_canvas_fed_wrongly_is_caught(model: Model, feed) -> None:
    with pytest.raises(ModelUnavailable, match=r"drawing of one|drawn face"):
        await detector_proof.prove(Fed(model, feed))


async def test_the_drawn_face_is_followed_from_windows_that_are_off(follow_model: Model) -> None:
    await follow_proof.prove(follow_model)


@WRONG_FEEDS
async def test_a_canvas_fed_wrongly_to_what_follows_is_caught(follow_model: Model, feed) -> None:
    with pytest.raises(ModelUnavailable, match=r"a drawn face is followed"):
        await follow_proof.prove(Fed(follow_model, feed))
