import hashlib

import numpy as np
import pytest

from facewire_server.proof import canary

DIGEST = "b563402d853290aa6242e8e61f93da240fa6b65e862c2eb3065c43ee61cc8db7"


PIXELS = np.arange(112 * 112 * 3)
WEIGHTS = (PIXELS[:, None] * (2 * np.arange(16) + 1) ** 3 // 7 % 101) - 50.0


def stand_in(crops):
    """A model of fixed integer weights: it sees every pixel, and answers unit vectors."""
    vectors = (np.asarray(crops, np.float64).reshape(len(crops), -1) - 127.5) @ WEIGHTS
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def golden():
    return stand_in(canary.crops())


def test_the_crops_never_change():
    crops = canary.crops()
    assert crops.shape == (4, 112, 112, 3)
    assert crops.dtype == np.uint8
    assert hashlib.sha256(crops.tobytes()).hexdigest() == DIGEST


def test_the_same_model_is_proven(golden):
    assert canary.check(stand_in(canary.crops()), golden) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    "feed",
    [
        pytest.param(lambda crops: crops[..., ::-1], id="blue_before_red"),
        pytest.param(lambda crops: crops[:, :, ::-1], id="mirrored"),
        pytest.param(lambda crops: crops[:, ::-1], id="upside_down"),
        pytest.param(lambda crops: crops.swapaxes(1, 2), id="transposed"),
        pytest.param(lambda crops: crops / 255.0, id="scaled_to_one"),
        pytest.param(lambda crops: (crops - 127.5) / 128.0, id="normalized_twice"),
        pytest.param(lambda crops: crops[::-1], id="another_order"),
        pytest.param(lambda crops: np.roll(crops, 1, axis=2), id="shifted_by_a_pixel"),
    ],
)
def test_crops_fed_wrongly_are_caught(feed, golden):
    answer = stand_in(feed(canary.crops()))
    assert canary.check(answer, golden) < canary.CANARY_MIN_COSINE


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(np.zeros_like, id="zeros"),
        pytest.param(lambda answer: np.roll(answer, 1, axis=0), id="rows_permuted"),
        pytest.param(lambda answer: np.roll(answer, 1, axis=1), id="columns_permuted"),
        pytest.param(lambda answer: 2 * answer, id="not_of_unit_length"),
        pytest.param(lambda answer: -answer, id="negated"),
        pytest.param(lambda answer: answer[:3], id="a_row_missing"),
        pytest.param(lambda answer: np.hstack([answer, answer]), id="another_dimension"),
        pytest.param(lambda answer: np.full_like(answer, np.nan), id="not_a_number"),
        pytest.param(lambda answer: np.full_like(answer, np.inf), id="infinite"),
    ],
)
def test_another_models_answers_are_caught(spoil, golden):
    assert canary.check(spoil(golden), golden) < canary.CANARY_MIN_COSINE


def test_one_bad_row_of_four_is_enough(golden):
    answer = golden.copy()
    answer[2] = answer[1]
    assert canary.check(answer, golden) < canary.CANARY_MIN_COSINE


def test_the_measure_is_the_lowest_cosine_of_unit_vectors(golden):
    answer = np.roll(golden, 1, axis=0)
    cosines = (answer.astype(np.float64) * golden).sum(axis=1)
    assert canary.check(answer, golden) == pytest.approx(cosines.min(), abs=1e-6)
