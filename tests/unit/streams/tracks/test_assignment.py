"""The assignment is exact: as many pairs as possible, and of these the cheapest."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from facewire_server.streams.tracks.assignment import assigned

SHAPES = st.tuples(st.integers(0, 5), st.integers(0, 5))


def best_of_all(costs: NDArray[np.float64], allowed: NDArray[np.bool_]) -> tuple[int, float]:
    """Tries every assignment: the most pairs, and the least cost of so many."""
    t, n = costs.shape
    best = (0, 0.0)
    for columns in permutations([*range(n), *[-1] * t], t):
        pairs = [(row, col) for row, col in enumerate(columns) if col >= 0 and allowed[row, col]]
        best = min(best, (-len(pairs), sum(float(costs[pair]) for pair in pairs)))
    return -best[0], best[1]


@given(
    SHAPES.flatmap(
        lambda s: st.tuples(
            hnp.arrays(np.float64, s, elements=st.floats(0, 10)), hnp.arrays(np.bool_, s)
        )
    )
)
def test_it_is_as_good_as_trying_all(drawn: tuple[NDArray[np.float64], NDArray[np.bool_]]) -> None:
    costs, allowed = drawn
    columns = assigned(costs, allowed)
    pairs = [(row, int(col)) for row, col in enumerate(columns) if col >= 0]
    assert all(allowed[pair] for pair in pairs)
    assert len({col for _, col in pairs}) == len(pairs)
    count, cost = best_of_all(costs, allowed)
    assert len(pairs) == count
    assert np.isclose(sum(costs[pair] for pair in pairs), cost)


def test_no_row_is_forgotten_though_all_may_have_any_column() -> None:
    """So many that the exact way would take too long: a crowd of faces that are all alike."""
    costs = np.random.default_rng(0).uniform(0, 1, (300, 256))
    columns = assigned(costs, np.ones(costs.shape, np.bool_))
    assert sorted(columns[columns >= 0].tolist()) == [*range(256)]


def test_components_are_solved_by_themselves() -> None:
    """Beside a pair that stands alone, a row that must leave its cheapest column to another one."""
    costs = np.array([[0.0, 9, 9], [9, 1, 2], [9, 1, 9]])
    allowed = np.array([[True, False, False], [False, True, True], [False, True, False]])
    assert assigned(costs, allowed).tolist() == [0, 2, 1]
