"""A calibration: the points as stated, its inverse, the body above them, and the tail beyond the data."""

import math
from statistics import NormalDist

import pytest

from facewire_server.app.values import read_model_contract
from facewire_server.thresholds import Calibration

POINTS = [(1e-2, 0.3, 1.1e-2), (1e-3, 0.4, 1.3e-3), (1e-5, 0.5, 2e-5)]
MADE = Calibration.checked(0.1, 0.09, POINTS, 1e-4)
STATED = read_model_contract("sface").calibration
assert STATED is not None
SHIPPED: Calibration = STATED


def test_the_points_are_as_stated() -> None:
    for fmr, similarity, bound in POINTS:
        assert MADE.similarity_at(fmr) == pytest.approx(similarity)
        found = MADE.fmr_at(similarity)
        assert (found.value, found.bound) == pytest.approx((fmr, bound))


def test_between_two_points_it_is_linear_in_the_logarithm_of_the_rate() -> None:
    assert MADE.similarity_at(1e-4) == pytest.approx(0.45)
    assert MADE.fmr_at(0.45).value == pytest.approx(1e-4)


def test_above_the_first_point_it_is_a_normal_distribution_through_mean_and_point() -> None:
    assert MADE.similarity_at(0.5) == pytest.approx(0.1)
    normal = NormalDist()
    sigma = 0.2 / -normal.inv_cdf(1e-2)
    assert MADE.similarity_at(0.1) == pytest.approx(0.1 - sigma * normal.inv_cdf(0.1))
    assert MADE.fmr_at(-1.0).value == pytest.approx(1.0)


def test_beyond_the_data_the_last_line_goes_on_and_is_marked() -> None:
    beyond = MADE.fmr_at(0.6)
    assert beyond.value == pytest.approx(1e-7)
    assert beyond.is_extrapolated
    assert beyond.bound / beyond.value > 2
    assert MADE.similarity_at(1e-7) == pytest.approx(0.6)
    assert not MADE.fmr_at(0.45).is_extrapolated
    assert MADE.fmr_at(0.46).is_extrapolated  # within the points, beyond the data


def test_the_inverse_gives_back_the_rate_and_a_rarer_one_needs_more() -> None:
    rates = [10 ** (-row / 7) for row in range(3, 100)]
    similarities = [SHIPPED.similarity_at(rate) for rate in rates]
    assert similarities == sorted(similarities)
    for rate, similarity in zip(rates, similarities, strict=True):
        found = SHIPPED.fmr_at(similarity)
        assert found.value == pytest.approx(rate, rel=1e-6)
        assert found.value <= found.bound <= 1


def test_a_similarity_of_one_has_a_rate_that_is_a_number() -> None:
    found = SHIPPED.fmr_at(1.0)
    assert 0 < found.value < 1e-7
    assert math.isfinite(found.bound)
    assert found.is_extrapolated


@pytest.mark.parametrize(
    ("mean", "spread", "points", "to"),
    [
        (0.1, 0.09, POINTS[:1], 1e-4),
        (0.1, 0.09, POINTS[::-1], 1e-4),
        (0.35, 0.09, POINTS, 1e-4),
        (0.1, 0.0, POINTS, 1e-4),
        (0.1, 0.09, POINTS, 0.0),
        (math.nan, 0.09, POINTS, 1e-4),
        (0.1, 0.09, [*POINTS, (1e-6, 1.2, 1e-5)], 1e-4),
        (0.1, 0.09, [*POINTS, (1e-6, 0.6, 1e-7)], 1e-4),
        (0.1, 0.09, [*POINTS, (1e-6, 0.6, 1e-4)], 1e-4),
        (0.1, 0.09, [*POINTS, (math.nan, 0.6, 1e-4)], 1e-4),
    ],
)
def test_numbers_that_are_no_calibration_are_refused(
    mean: float, spread: float, points: list[tuple[float, float, float]], to: float
) -> None:
    with pytest.raises(ValueError, match=r"calibration|bound"):
        Calibration.checked(mean, spread, points, to)
