"""Embeddings come in the crops' order, in parts of bounded size, and mirrored from both sides."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.embed import Embedder


class Corners:
    """A model whose embedding is the direction of a crop's first three corner values."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        faces = inputs["faces"]
        self.batches.append(len(faces))
        corner = faces[:, 0, 0].astype(np.float32) + 1
        return {"embeddings": corner / np.linalg.norm(corner, axis=1, keepdims=True)}


def crops(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 255, (count, 112, 112, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [0, 1, 16, 17, 104])
async def test_many_crops_go_in_parts_and_come_in_order(count: int) -> None:
    model = Corners()
    embeddings = await Embedder(model, 3).embed(crops(count))
    expected = crops(count)[:, 0, 0] + np.float32(1)
    np.testing.assert_allclose(
        embeddings, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-5
    )
    assert sum(model.batches) == count
    assert all(0 < batch <= 16 for batch in model.batches), "without crops the model is not called"
    assert embeddings.dtype == np.float32


async def test_a_crop_and_its_mirror_image_have_one_mirrored_embedding() -> None:
    embedder = Embedder(Corners(), 3)
    crop = crops(3)
    there = await embedder.embed_mirrored(crop)
    back = await embedder.embed_mirrored(np.ascontiguousarray(crop[:, :, ::-1]))
    np.testing.assert_allclose(there, back, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(there, axis=1), 1, rtol=1e-5)
    assert (await embedder.embed_mirrored(crops(0))).shape == (0, 3)


@pytest.mark.parametrize(
    "answer",
    [{}, {"embeddings": np.zeros((1, 4))}, {"embeddings": np.full((1, 3), np.inf, np.float32)}],
)
async def test_an_answer_that_is_no_embedding_is_no_answer(answer: dict[str, np.ndarray]) -> None:
    class Wrong:
        async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
            return answer

    with pytest.raises(ModelUnavailable):
        await Embedder(Wrong(), 3).embed(crops(1))
