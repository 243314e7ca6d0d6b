"""The cheapest way to give each of several rows one of several columns, exactly."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["assigned"]


def assigned(costs: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Assigns as many rows as possible; of all ways to do so, the one of least total cost.

    The shortest augmenting path of Jonker and Volgenant (1987), one row after the other.

    Args:
        costs: (t, n) float64, 0 or more, at most 1e3.
        allowed: (t, n) bool, pairs that may be made.

    Returns:
        (t,): the column of each row; -1 = none.
    """
    result = np.full(len(costs), -1, np.intp)
    if not allowed.any():
        return result
    rows, columns = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
    part = np.ix_(rows, columns)
    # A pair that is not allowed costs more than all others together, so that it is never made in place of an allowed one.
    dear = 1.0 + costs[allowed].sum()
    matrix = np.where(allowed[part], costs[part], dear)
    if len(rows) > len(columns):
        of_columns = _solved(matrix.T)
        pairs = zip(of_columns, range(len(columns)), strict=True)
    else:
        pairs = zip(range(len(rows)), _solved(matrix), strict=True)
    for row, column in pairs:
        if allowed[rows[row], columns[column]]:
            result[rows[row]] = columns[column]
    return result


def _solved(costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Returns the column of each of n rows, n at most the number of columns m; all pairs may be made."""
    n, m = costs.shape
    of_rows, of_columns = np.zeros(n), np.zeros(m)  # the dual variables
    row_of, column_of = np.full(m, -1, np.intp), np.full(n, -1, np.intp)
    for start in range(n):
        least = np.full(m, np.inf)
        came_from = np.full(m, -1, np.intp)
        is_done = np.zeros(m, np.bool_)
        row, column, distance = start, -1, 0.0
        while row >= 0:
            through = distance + costs[row] - of_rows[row] - of_columns
            shorter = ~is_done & (through < least)
            least[shorter] = through[shorter]
            came_from[shorter] = row
            column = int(np.where(is_done, np.inf, least).argmin())
            is_done[column] = True
            distance = float(least[column])
            row = int(row_of[column])
        reached = np.flatnonzero(is_done)
        inner = reached[row_of[reached] >= 0]
        of_rows[start] += distance
        of_rows[row_of[inner]] += distance - least[inner]
        of_columns[reached] -= distance - least[reached]
        while True:  # each row on the path passes its column on
            row = int(came_from[column])
            row_of[column] = row
            column, column_of[row] = int(column_of[row]), column
            if row == start:
                break
    return column_of
