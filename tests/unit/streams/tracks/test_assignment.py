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
