"""Looking for presentation attacks: one set of tests for the fake, and for the model in the embedded engine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.attacks import AttackDetector
from facewire_server.pipeline.ports import Model, PresentationAttackDetector
from facewire_server.proof import attack_proof
from fakes.attacks import GreenIsAnAttack


@pytest.fixture(params=["fake", "embedded"])
async def detector(request: pytest.FixtureRequest) -> AsyncIterator[PresentationAttackDetector]:
    if request.param == "fake":
        yield GreenIsAnAttack()
        return
    folder = request.getfixturevalue("attack_model")
    with closing(OpenVinoModel(folder, threads=2)) as engine:
        yield AttackDetector(engine)


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    noise = np.random.default_rng(5).integers(0, 256, (16, 80, 80, 3), np.uint8)
    return np.concatenate([attack_proof.pictures(), noise])


async def test_each_picture_has_a_score_of_its_own(
    detector: PresentationAttackDetector, pictures: NDArray[np.uint8]
) -> None:
    together = await detector.log_odds(pictures)
    assert together.shape == (20,)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    apart = [await detector.log_odds(pictures[row : row + 1]) for row in range(6)]
    np.testing.assert_allclose(np.concatenate(apart), together[:6], atol=1e-3)
    turned = await detector.log_odds(pictures[::-1])
    np.testing.assert_allclose(turned[::-1], together, atol=1e-3)


async def test_no_picture_has_no_score(
    detector: PresentationAttackDetector, pictures: NDArray[np.uint8]
) -> None:
    assert (await detector.log_odds(pictures[:0])).shape == (0,)


async def test_the_colors_are_told_apart(
    detector: PresentationAttackDetector, pictures: NDArray[np.uint8]
) -> None:
    moved = np.roll(pictures[:4], 1, axis=3)
    assert np.abs(await detector.log_odds(moved) - await detector.log_odds(pictures[:4])).max() > 1


async def test_the_model_is_proven_by_drawings(attack_model: Path) -> None:
    with closing(OpenVinoModel(attack_model, threads=1)) as engine:
        await attack_proof.prove(engine)


class _Odd:
    def __init__(self, outputs: Mapping[str, NDArray[np.float32]]) -> None:
        self._outputs = dict(outputs)

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        return self._outputs


@pytest.mark.parametrize(
    "model",
    [
        _Odd({}),
        _Odd({"log_odds": np.zeros((4, 1), np.float32)}),
        _Odd({"log_odds": np.zeros(3, np.float32)}),
        _Odd({"log_odds": np.full(4, np.nan, np.float32)}),
        _Odd({"log_odds": np.full(4, np.inf, np.float32)}),
    ],
    ids=["absent", "two_dimensions", "too_few", "nan", "infinite"],
)
async def test_an_answer_that_cannot_be_used_is_refused(
    model: Model, pictures: NDArray[np.uint8]
) -> None:
    with pytest.raises(ModelUnavailable):
        await AttackDetector(model).log_odds(pictures[:4])


async def test_another_model_is_not_proven() -> None:
    other = _Odd({"log_odds": attack_proof.GOLDEN_LOG_ODDS + 0.1})
    with pytest.raises(ModelUnavailable, match=r"0\.100 from the known ones"):
        await attack_proof.prove(other)
