"""A model contract has a stable id, and a model proves itself by the canary."""

import json
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.app.values import read_model_contract
from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.embed import FrameError
from facewire_server.proof.model_contract import Bfloat16, ModelContract, prove, prove_bfloat16

TERMS = {"weights_sha256": "ab" * 32, "dimension": 4, "preprocessing": "rgb-v1"}
GOLDEN = np.eye(4, dtype=np.float32)


def contract(
    terms: dict[str, object] = TERMS, golden: np.ndarray = GOLDEN, **parts: object
) -> ModelContract:
    document = {"contract": terms, "canary": {"golden": golden.tolist()}, **parts}
    return ModelContract.from_json(json.dumps(document))


class Answering:
    def __init__(self, embeddings: np.ndarray) -> None:
        self.embeddings = embeddings

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        return {"embeddings": self.embeddings}


def test_the_id_does_not_depend_on_the_order_of_the_terms() -> None:
    assert contract(dict(reversed(TERMS.items()))).id == contract().id
    assert len(contract().id) == 64


@pytest.mark.parametrize("change", [{"weights_sha256": "cd" * 32}, {"preprocessing": "bgr-v1"}])
def test_the_id_changes_with_every_term(change: dict[str, object]) -> None:
    assert contract(TERMS | change).id != contract().id


@pytest.mark.parametrize("text", ["{}", "[]", '{"contract": {"dimension": 4}}', "no JSON"])
def test_what_is_not_a_model_contract_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"contract|Expecting"):
        ModelContract.from_json(text)


def test_a_canary_of_another_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="dimension"):
        contract(golden=np.eye(4, 5, dtype=np.float32))


def test_what_upside_down_faces_have_in_common_is_no_term_and_becomes_a_unit_vector() -> None:
    stated = contract(upside_down=[3, 0, 4, 0])
    assert stated.id == contract().id
    assert stated.upside_down is not None
    np.testing.assert_allclose(stated.upside_down, [0.6, 0, 0.8, 0])
    assert contract().upside_down is None


@pytest.mark.parametrize("numbers", [[], [1, 0, 0], [0, 0, 0, 0], [[1, 0, 0, 0]], [1, 0, 0, None]])
def test_a_direction_that_is_none_is_refused(numbers: object) -> None:
    with pytest.raises(ValueError, match="not a model contract"):
        contract(upside_down=numbers)


def test_the_shipped_contract_has_the_id_that_galleries_hold_and_knows_upside_down_faces() -> None:
    shipped = read_model_contract("sface")
    assert shipped.id == SFACE_ID
    assert shipped.upside_down is not None
    assert (shipped.min_norm, shipped.enroll_min_norm) == (5.0, 7.5)


def test_norms_are_no_term_and_a_contract_without_them_asks_for_none() -> None:
    stated = contract(min_norm=50, enroll_min_norm=75.5)
    assert stated.id == contract().id
    assert (stated.min_norm, stated.enroll_min_norm) == (50.0, 75.5)
    assert (contract().min_norm, contract().enroll_min_norm) == (0.0, 0.0)


@pytest.mark.parametrize("norm", [-1, "many", None, [5], float("nan"), float("inf")])
def test_a_norm_that_is_none_is_refused(norm: object) -> None:
    with pytest.raises(ValueError, match=r"model contract|could not convert"):
        contract(enroll_min_norm=norm)


def test_the_servable_is_no_term_and_is_embedding_unless_stated() -> None:
    stated = contract(servable="facenet_casia")
    assert (stated.id, stated.servable) == (contract().id, "facenet_casia")
    assert contract().servable == read_model_contract("sface").servable == "embedding"


@pytest.mark.parametrize("name", ["", "../embedding", "a b", 5, None])
def test_a_servable_that_is_no_folder_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="model contract"):
        contract(servable=name)


BFLOAT16 = {"min_cosine": 0.998, "similarity_error": 0.02, "norm_error": 0.05}


def test_what_is_known_of_bfloat16_is_no_term_and_need_not_be_stated() -> None:
    stated = contract(bfloat16=BFLOAT16)
    assert stated.id == contract().id
    assert stated.bfloat16 == Bfloat16(0.998, FrameError(similarity=0.02, norm=0.05))
    assert contract().bfloat16 is None
    assert read_model_contract("sface").bfloat16 is not None


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        [],
        BFLOAT16 | {"min_cosine": 0},
        BFLOAT16 | {"min_cosine": 1.1},
        BFLOAT16 | {"similarity_error": -0.1},
        BFLOAT16 | {"norm_error": float("nan")},
    ],
)
def test_bounds_of_bfloat16_that_are_none_are_refused(bounds: object) -> None:
    with pytest.raises(ValueError, match="model contract"):
        contract(bfloat16=bounds)


SFACE_ID = "04319737b66046b79cadd3a1dab61c9104294c5db09cfc8ff9f9b69064391d0d"
"""Of the first release: a gallery of another id is refused, so it must never change."""


def test_the_shipped_contract_is_the_one_that_galleries_were_made_under() -> None:
    shipped = read_model_contract("sface")
    assert shipped.id == "04319737b66046b79cadd3a1dab61c9104294c5db09cfc8ff9f9b69064391d0d"
    assert shipped.calibration is not None
    assert shipped.calibration.similarity_at(1e-4) == pytest.approx(0.426)


CALIBRATION = {
    "mean": 0.1,
    "spread": 0.09,
    "points": [
        {"fmr": 1e-2, "similarity": 0.3, "fmr_bound": 1.1e-2},
        {"fmr": 1e-4, "similarity": 0.4, "fmr_bound": 2e-4},
    ],
    "measured_to_fmr": 1e-4,
}


def test_a_calibration_is_no_term_either() -> None:
    calibrated = contract(calibration=CALIBRATION)
    assert calibrated.id == contract().id
    assert calibrated.calibration is not None
    assert calibrated.calibration.similarity_at(1e-3) == pytest.approx(0.35)
    assert contract().calibration is None


@pytest.mark.parametrize(
    "stated", [{}, [], 7, CALIBRATION | {"points": []}, CALIBRATION | {"spread": 0}]
)
def test_a_calibration_that_is_none_is_refused(stated: object) -> None:
    with pytest.raises(ValueError, match=r"calibration|model contract"):
        contract(calibration=stated)


async def test_the_right_model_is_proven() -> None:
    await prove(Answering(GOLDEN), contract())


@pytest.mark.parametrize(
    "wrong",
    [
        GOLDEN[::-1].copy(),
        GOLDEN * 2,
        np.full((4, 4), np.nan, np.float32),
        GOLDEN[:3],
        GOLDEN[:, :3],
    ],
)
async def test_another_model_is_not(wrong: np.ndarray) -> None:
    with pytest.raises(ModelUnavailable):
        await prove(Answering(wrong), contract())


async def test_bfloat16_is_proven_within_its_own_bound_and_not_beyond() -> None:
    bounds = Bfloat16(0.998, FrameError())
    turn = np.eye(4, dtype=np.float32)
    turn[0, :2] = np.cos(0.06), np.sin(0.06)  # cosine 0.9982
    await prove_bfloat16(Answering(turn), contract(), bounds)
    with pytest.raises(ModelUnavailable):
        await prove(Answering(turn), contract())
    turn[0, :2] = np.cos(0.07), np.sin(0.07)  # cosine 0.9976
    with pytest.raises(ModelUnavailable, match=r"at least 0\.998"):
        await prove_bfloat16(Answering(turn), contract(), bounds)
