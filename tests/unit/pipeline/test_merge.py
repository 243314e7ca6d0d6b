"""Several searches of one picture become one list, in which each face stands once."""

import numpy as np

from facewire_server.pipeline.merge import merged
from facewire_server.types import Faces


def faces(*rows: tuple[float, float, float, float, float]) -> Faces:
    """Faces from (x1, y1, x2, y2, score); each has its x1 as its landmarks."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    landmarks = np.repeat(table[:, :1], 10, axis=1).reshape(-1, 5, 2)
    return Faces(table[:, :4], table[:, 4], landmarks)


def test_a_face_that_two_searches_find_is_kept_once_as_the_better_one_found_it() -> None:
    one = merged([faces((0, 0, 10, 10, 0.91)), faces((1, 0, 11, 10, 0.97))], 10)
    assert one.scores.tolist() == [np.float32(0.97)]
    assert one.landmarks[0, 0, 0] == 1


def test_of_equal_scores_the_earlier_search_is_kept() -> None:
    assert merged([faces((0, 0, 10, 10, 1)), faces((1, 0, 11, 10, 1))], 10).boxes[0, 0] == 0


def test_neighbors_that_overlap_are_two_faces() -> None:
    assert len(merged([faces((0, 0, 10, 10, 0.9), (5, 0, 15, 10, 0.9)), faces()], 10)) == 2


def test_a_part_of_a_face_is_no_face() -> None:
    assert len(merged([faces((0, 0, 40, 40, 0.99)), faces((10, 10, 20, 20, 0.95))], 10)) == 1


def test_the_best_come_first_and_no_more_than_wanted() -> None:
    many = [faces((20 * k, 0, 20 * k + 10, 10, 0.9 + k / 100)) for k in range(5)]
    np.testing.assert_allclose(merged(many, 3).scores, [0.94, 0.93, 0.92])


def test_nothing_found_is_nothing() -> None:
    assert len(merged([faces(), faces()], 10)) == 0
