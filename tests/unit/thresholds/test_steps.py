"""The threshold by size: the steps as stated, a line over the logarithm between them, ever higher."""

import pytest

from facewire_server.app.values import read_model_contract
from facewire_server.thresholds import EVERY_SIZE, checked_steps, threshold_for

SHIPPED = read_model_contract("sface").threshold_steps


@pytest.mark.parametrize(
    ("count", "threshold"),
    [
        (0, 0.42), (1, 0.42), (20, 0.42), (50, 0.438), (100, 0.452), (300, 0.475), (1000, 0.497),
        (3000, 0.525), (10_000, 0.549),
    ],
)  # fmt: skip
def test_the_shipped_steps_are_in_force_at_their_sizes(count: int, threshold: float) -> None:
    assert threshold_for(SHIPPED, count) == pytest.approx(threshold)


@pytest.mark.parametrize(
    ("count", "threshold"),
    [
        (32, 0.4292),  # half the way from 20 to 50: the root of 1,000 is 31.6
        (173, 0.4635),  # from 100 to 300
        (100_000, 0.5949),  # as from 3,000 to 10,000: 0.0199 more for each e-fold
        (10**30, 1.0),
    ],
)
def test_between_the_steps_and_beyond_the_last_it_is_linear_in_the_logarithm(
    count: int, threshold: float
) -> None:
    assert threshold_for(SHIPPED, count) == pytest.approx(threshold, abs=2e-4)


def test_more_people_never_lower_it() -> None:
    values = [threshold_for(SHIPPED, round(1.07**row)) for row in range(300)]
    assert values == sorted(values)


def test_a_table_of_one_step_holds_for_every_size() -> None:
    assert {threshold_for(EVERY_SIZE, count) for count in (0, 1, 10**6)} == {0.42}


@pytest.mark.parametrize(
    "steps",
    [[], [(0, 0.4)], [(10, 0.4), (10, 0.5)], [(10, 0.5), (20, 0.4)], [(1, 0.0)], [(1, 1.1)],
     [(1, float("nan"))]],
)  # fmt: skip
def test_a_table_out_of_order_is_refused(steps: list[tuple[int, float]]) -> None:
    with pytest.raises(ValueError, match="threshold"):
        checked_steps(steps)
