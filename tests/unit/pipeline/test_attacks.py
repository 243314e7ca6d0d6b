"""The score of a presentation attack over several looks, and the part of the picture that is looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.pipeline.attacks import NOT_SCORED
from facewire_server.pipeline.surroundings import surroundings
from facewire_server.types import Faces


def score_of(*log_odds: float) -> float | None:
    score = NOT_SCORED
    for each in log_odds:
        score = score.after(each)
    return score.value


def test_a_face_that_was_not_looked_at_has_no_score() -> None:
    assert score_of() is None


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=9))
def test_a_score_is_a_share_and_lies_between_those_of_its_looks(log_odds: list[float]) -> None:
    score = score_of(*log_odds)
    alone = [score_of(each) for each in log_odds]
    assert score is not None
    assert 0 < score < 1
    assert min(each for each in alone if each) - 1e-9 <= score
    assert score <= max(each for each in alone if each) + 1e-9


def test_looks_that_say_the_same_do_not_become_surer() -> None:
    assert score_of(2.0, 2.0, 2.0, 2.0) == pytest.approx(score_of(2.0))
    assert score_of(2.0, -2.0) == pytest.approx(0.5)


def test_one_look_among_ten_does_not_decide_however_sure_the_network_is() -> None:
    score = score_of(*[-2.0] * 9, 1e6)
    assert score is not None
    assert score < 0.5


def faces(*boxes: tuple[float, float, float, float]) -> Faces:
    count = len(boxes)
    shape = np.array(boxes, np.float32).reshape(count, 4)
    return Faces(shape, np.ones(count, np.float32), np.zeros((count, 5, 2), np.float32))


def test_the_part_is_the_box_enlarged_about_its_middle() -> None:
    y, x = np.mgrid[0:400, 0:400]
    image = np.stack([x * 255 // 399, y * 255 // 399, np.zeros_like(x)], axis=2).astype(np.uint8)
    (part,) = surroundings(image, faces((180, 150, 220, 200)))
    shown = part[[0, -1], [0, -1], :2].astype(float) * 399 / 255
    np.testing.assert_allclose(shown[0], (200 - 54, 175 - 67.5), atol=3)
    np.testing.assert_allclose(shown[1], (200 + 54, 175 + 67.5), atol=3)


@pytest.mark.parametrize(
    "box",
    [
        (-20, -30, 60, 70),
        (340, 310, 420, 440),
        (0, 0, 400, 400),
        (-500, -500, 900, 900),
        (399, 399, 399, 399),
        (900, 900, 950, 950),
        (-950, -950, -900, -900),
    ],
)
def test_a_part_lies_within_the_picture_wherever_the_box_is(
    box: tuple[float, float, float, float],
) -> None:
    image = np.full((400, 400, 3), 200, np.uint8)
    parts = surroundings(image, faces(box))
    assert parts.shape == (1, 80, 80, 3)
    assert (parts == 200).all(), "nothing is filled up"


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.tuples(*[st.floats(-100, 100, width=32)] * 2),
    st.tuples(*[st.floats(0, 100, width=32)] * 2),
)
def test_no_picture_is_too_small(
    height: int, width: int, corner: tuple[float, float], size: tuple[float, float]
) -> None:
    image = np.full((height, width, 3), 7, np.uint8)
    box = (corner[0], corner[1], corner[0] + size[0], corner[1] + size[1])
    assert (surroundings(image, faces(box)) == 7).all()


def test_no_face_has_no_part() -> None:
    assert surroundings(np.zeros((9, 9, 3), np.uint8), faces()).shape == (0, 80, 80, 3)
