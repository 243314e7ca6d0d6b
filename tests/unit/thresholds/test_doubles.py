"""From which similarity on two people are probably one: one pair by chance, whatever the number of people."""

from itertools import pairwise

import pytest

from facewire_server.app.values import read_model_contract
from facewire_server.thresholds.doubles import LEAST_DOUBLE, probable_double

CALIBRATION = read_model_contract("sface").calibration
assert CALIBRATION is not None
AT = CALIBRATION.similarity_at
FMR_AT = CALIBRATION.fmr_at


@pytest.mark.parametrize("people", [0, 1, 2, 3, 40, 800])
def test_it_is_half_where_chance_makes_less_than_a_pair(people: int) -> None:
    assert probable_double(people, AT) == LEAST_DOUBLE
    assert FMR_AT(LEAST_DOUBLE).value * people * (people - 1) / 2 < 1


@pytest.mark.parametrize("people", [1000, 2000, 10_000, 100_000])
def test_above_it_chance_makes_one_pair(people: int) -> None:
    bound = probable_double(people, AT)
    assert bound > LEAST_DOUBLE
    assert FMR_AT(bound).value * people * (people - 1) / 2 == pytest.approx(1)


def test_it_never_falls_with_more_people_and_the_same_picture_is_always_a_double() -> None:
    bounds = [probable_double(round(1.5**row), AT) for row in range(60)]
    assert all(low <= high for low, high in pairwise(bounds))
    assert bounds[-1] < 0.95
