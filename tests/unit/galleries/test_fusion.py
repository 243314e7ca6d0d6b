"""A person is the mean of the templates that agree; a wrong one is left out, two that disagree stay apart."""

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.galleries.fusion import LEAST_AGREEMENT, fuse


def unit(*numbers: float) -> NDArray[np.float32]:
    row = np.array(numbers)
    return np.asarray(row / np.linalg.norm(row), np.float32)


def pictures(count: int, spread: float, seed: int = 0, d: int = 32) -> NDArray[np.float32]:
    """Templates of one person: a direction, and as much noise."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=d) + spread * random.normal(size=(count, d))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def test_one_template_is_searched_as_it_is() -> None:
    (row,) = pictures(1, 0.5)
    (only,) = fuse(row[None])
    np.testing.assert_array_equal(only.mean, row)
    assert only.rows == (0,)


def test_nobody_is_searched_by_nothing() -> None:
    assert fuse(np.empty((0, 8), np.float32)) == ()


def test_templates_that_agree_are_one_mean_that_is_nearer_to_another_picture() -> None:
    templates = pictures(6, 0.8)
    (fused,) = fuse(templates[:5])
    assert fused.rows == (0, 1, 2, 3, 4)
    assert np.linalg.norm(fused.mean) == pytest.approx(1, abs=1e-6)
    assert fused.mean.dtype == np.float32
    assert fused.mean @ templates[5] > (templates[:5] @ templates[5]).max()


def test_two_that_disagree_stay_apart() -> None:
    templates = np.stack([unit(1, 0, 0), unit(0.2, 1, 0)])
    first, second = fuse(templates)
    np.testing.assert_array_equal(np.stack([first.mean, second.mean]), templates)
    assert (first.rows, second.rows) == ((0,), (1,))


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_wrong_picture_of_three_is_left_out(wrong: int) -> None:
    right, others = pictures(2, 0.6), pictures(1, 0.6, seed=9)
    assert (right @ others[0]).max() < LEAST_AGREEMENT < right[0] @ right[1]
    templates = np.insert(right, wrong, others[0], axis=0)
    (fused,) = fuse(templates)
    assert fused.rows == tuple(row for row in range(3) if row != wrong)
    assert fused.mean @ others[0] < LEAST_AGREEMENT


def test_two_wrong_pictures_of_two_others_are_left_out_too() -> None:
    templates = np.concatenate([pictures(1, 0.6, 7), pictures(4, 0.6), pictures(1, 0.6, 8)])
    (fused,) = fuse(templates)
    assert fused.rows == (1, 2, 3, 4)


def test_three_that_all_disagree_leave_two_apart() -> None:
    assert [one.rows for one in fuse(np.eye(3, dtype=np.float32))] == [(1,), (2,)]


def test_opposite_templates_cancel_out_and_agree_with_nothing() -> None:
    row = pictures(1, 0.5)
    found = fuse(np.concatenate([row, -row, row, -row]))
    assert all(np.isfinite(one.mean).all() for one in found)


def test_the_same_templates_have_the_same_mean_to_the_last_bit() -> None:
    templates = pictures(5, 0.8)
    assert fuse(templates)[0].mean.tobytes() == fuse(templates.copy())[0].mean.tobytes()
