"""Embeddings come in the crops' order, in parts of bounded size, and mirrored from both sides."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.embed import EXACT, Embedder, FrameError


class Corners:
    """A model whose embedding is the direction of a crop's first three corner values, and its norm their length."""

    def __init__(self, *, has_norms: bool = True) -> None:
        self.batches: list[int] = []
        self._has_norms = has_norms

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        faces = inputs["faces"]
        self.batches.append(len(faces))
        corner = faces[:, 0, 0].astype(np.float32) + 1
        norms = np.linalg.norm(corner, axis=1)
        outputs = {"embeddings": corner / norms[:, None]}
        return outputs | {"norms": norms} if self._has_norms else outputs


def crops(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 255, (count, 112, 112, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [0, 1, 16, 17, 104])
async def test_many_crops_go_in_parts_and_come_in_order(count: int) -> None:
    model = Corners()
    embeddings, norms = await Embedder(model, 3).embed(crops(count))
    expected = crops(count)[:, 0, 0] + np.float32(1)
    lengths = np.linalg.norm(expected, axis=1)
    np.testing.assert_allclose(embeddings, expected / lengths[:, None], rtol=1e-5)
    np.testing.assert_allclose(norms, lengths, rtol=1e-5)
    assert sum(model.batches) == count
    assert all(0 < batch <= 16 for batch in model.batches), "without crops the model is not called"
    assert embeddings.dtype == norms.dtype == np.float32


async def test_the_norms_of_a_servable_without_that_output_are_unknown() -> None:
    embedder = Embedder(Corners(has_norms=False), 3)
    np.testing.assert_array_equal((await embedder.embed(crops(17))).norms, np.zeros(17))
    np.testing.assert_array_equal((await embedder.embed_mirrored(crops(2))).norms, np.zeros(2))


async def test_a_crop_and_its_mirror_image_have_one_mirrored_embedding() -> None:
    embedder = Embedder(Corners(), 3)
    crop = crops(3)
    there, norms = await embedder.embed_mirrored(crop)
    back, _ = await embedder.embed_mirrored(np.ascontiguousarray(crop[:, :, ::-1]))
    np.testing.assert_allclose(there, back, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(there, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(norms, (await embedder.embed(crop)).norms, rtol=1e-5)
    none = await embedder.embed_mirrored(crops(0))
    assert (none.embeddings.shape, none.norms.shape) == ((0, 3), (0,))


async def test_only_what_need_not_be_exact_is_embedded_by_the_faster_model() -> None:
    exact, frames = Corners(), Corners()
    error = FrameError(similarity=0.02, norm=0.05)
    embedder = Embedder(exact, 3, frames=frames, frame_error=error)
    await embedder.embed(crops(17), exact=False)
    assert (exact.batches, frames.batches, embedder.frame_error) == ([], [16, 1], error)
    await embedder.embed(crops(2))
    await embedder.embed_mirrored(crops(1))
    assert (exact.batches, frames.batches) == ([2, 2], [16, 1])


async def test_without_a_faster_model_every_embedding_is_exact() -> None:
    model = Corners()
    embedder = Embedder(model, 3, frame_error=FrameError(similarity=0.02))
    await embedder.embed(crops(1), exact=False)
    assert (model.batches, embedder.frame_error) == ([1], EXACT)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"embeddings": np.zeros((1, 4))},
        {"embeddings": np.full((1, 3), np.inf, np.float32)},
        {"embeddings": np.ones((1, 3), np.float32), "norms": np.ones((1, 1), np.float32)},
        {"embeddings": np.ones((1, 3), np.float32), "norms": np.full(1, np.nan, np.float32)},
        {"embeddings": np.ones((1, 3), np.float32), "norms": np.full(1, -1, np.float32)},
    ],
)
async def test_an_answer_that_is_no_embedding_is_no_answer(answer: dict[str, np.ndarray]) -> None:
    class Wrong:
        async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
            return answer

    with pytest.raises(ModelUnavailable):
        await Embedder(Wrong(), 3).embed(crops(1))
