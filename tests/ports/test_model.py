"""The model port: one test for the fake, the embedded engine, and TensorFlow Serving's API."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.backends.saved_model import NoSuchSignature
from facewire_server.backends.tfserving import TfServingModel
from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.ports import Model
from facewire_server.proof import canary, signature
from facewire_server.proof.proven import ProvenModel
from facewire_server.work.breadth import working
from fakes.models import FakeEmbedding

DIMENSION = 128
EMPTY = np.zeros((0, 112, 112, 3), np.uint8)


async def anything(model: Model) -> None:
    """A proof that any model passes which answers."""
    await model.predict({"faces": canary.crops()[:1]})


class OfFrames:
    """Predicts as for a frame of a stream, which has one thread of several."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        with working(lambda: False):
            return await self._model.predict(inputs)


@pytest.fixture(params=["fake", "embedded", "embedded, of a frame", "served"])
async def model(request: pytest.FixtureRequest, models: Path) -> AsyncIterator[Model]:
    if request.param == "fake":
        yield FakeEmbedding(DIMENSION)
    elif request.param == "embedded":
        with closing(OpenVinoModel(models / "embedding", threads=2)) as engine:
            yield engine
    elif request.param == "embedded, of a frame":
        with closing(OpenVinoModel(models / "embedding", threads=2)) as engine:
            yield OfFrames(engine)
    else:
        _, embedding = request.getfixturevalue("served_models")
        tensors = signature.embedding(DIMENSION)
        served = TfServingModel("embedding", embedding.address, tensors)
        yield ProvenModel(served, anything)
        await served.close()


async def embed(model: Model, faces: np.ndarray) -> np.ndarray:
    return (await model.predict({"faces": faces}))["embeddings"]


@pytest.mark.parametrize("count", [1, 4])
async def test_every_face_gets_a_unit_vector(model: Model, count: int) -> None:
    embeddings = await embed(model, canary.crops()[:count])
    assert embeddings.dtype == np.float32
    assert embeddings.shape == (count, DIMENSION)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


async def test_no_face_gets_no_vector(model: Model) -> None:
    assert (await embed(model, EMPTY)).shape == (0, DIMENSION)


async def test_a_face_gets_the_same_vector_in_any_company(model: Model) -> None:
    crops = canary.crops()
    together = await embed(model, crops)
    alone = np.concatenate([await embed(model, crop[None]) for crop in crops])
    np.testing.assert_allclose((together * alone).sum(axis=1), 1, atol=1e-5)


async def test_predictions_at_the_same_time_do_not_mix(model: Model) -> None:
    crops = canary.crops()
    expected = [await embed(model, crop[None]) for crop in crops]
    found = await asyncio.gather(*(embed(model, crop[None]) for crop in crops for _ in range(8)))
    for index, one in enumerate(found):
        np.testing.assert_allclose(one, expected[index // 8], atol=1e-5)


async def test_an_answer_is_the_callers_own(model: Model) -> None:
    crops = canary.crops()
    first = await embed(model, crops)
    kept = first.copy()
    await embed(model, crops[::-1].copy())
    np.testing.assert_array_equal(first, kept)
    first[:] = 0  # may be written to
    np.testing.assert_allclose(await embed(model, crops), kept, atol=1e-5)


async def test_crops_that_are_a_view_are_taken(model: Model) -> None:
    crops = canary.crops()
    mirrored = crops[:, :, ::-1]
    np.testing.assert_allclose(
        await embed(model, mirrored), await embed(model, mirrored.copy()), atol=1e-6
    )


async def test_inputs_of_another_name_are_refused_and_the_model_lives(model: Model) -> None:
    with pytest.raises(ModelUnavailable, match="images"):
        await model.predict({"images": canary.crops()})
    assert (await embed(model, canary.crops())).shape == (4, DIMENSION)


def test_the_embedded_engine_names_the_signatures_that_there_are(models: Path) -> None:
    with pytest.raises(NoSuchSignature, match=r"no signature 'refine', found .*serving_default"):
        OpenVinoModel(models / "embedding", "refine", threads=1)


def test_the_embedded_engine_knows_which_version_it_runs(models: Path, tmp_path: Path) -> None:
    for version in ("1", "10", "9"):
        (tmp_path / version).symlink_to(models / "embedding/1")
    with closing(OpenVinoModel(tmp_path, threads=1)) as engine:
        assert engine.version == 10
