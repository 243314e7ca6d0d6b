"""An embedding has the gallery's dimension and unit length, or is refused with what is wrong."""

import numpy as np
import pytest

from facewire_server.errors import InvalidField
from facewire_server.galleries.embeddings import checked_embeddings


def test_unit_rows_are_taken_and_none_may_be() -> None:
    rows = np.eye(4, dtype=np.float64)
    assert checked_embeddings(rows, 4).dtype == np.float32
    assert checked_embeddings(np.empty((0, 4)), 4).shape == (0, 4)


def test_the_norm_that_is_not_one_is_named() -> None:
    rows = np.eye(4, dtype=np.float32)
    rows[2] *= 1.01
    with pytest.raises(InvalidField, match=r"not of unit length \(norm 1\.01\)") as caught:
        checked_embeddings(rows, 4)
    assert caught.value.field == "embedding"


@pytest.mark.parametrize("length", [0.0, 0.998, 1.002, np.nan, np.inf])
def test_other_lengths_are_refused(length: float) -> None:
    with pytest.raises(InvalidField):
        checked_embeddings(np.array([[length, 0]], np.float32), 2)


@pytest.mark.parametrize("shape", [(2,), (1, 3), (1, 2, 1)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidField, match="must have 2 numbers"):
        checked_embeddings(np.ones(shape, np.float32), 2)
