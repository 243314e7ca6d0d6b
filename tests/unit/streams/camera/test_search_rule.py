"""Movement causes searches, and ever fewer of them while it shows no new face."""

import pytest

from facewire_server.streams.camera.search_rule import SearchRule


def test_the_first_frame_is_searched() -> None:
    rule = SearchRule(0.5)
    assert rule.is_due(0.0, 0.0)
    assert rule.may_follow_movement(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("step_s", "searched_s"),
    [
        (0.2, [0.0, 1.0, 2.0, 3.0]),  # 5 frames/s
        (0.4, [0.0, 1.2, 2.4, 3.6]),
        (0.6, [0.0, 1.2, 2.4, 3.6]),  # more than half an interval apart: not each of them
        (0.95, [0.0, 0.95, 1.9, 2.85]),  # one frame a second, by a clock that jitters
        (1.5, [0.0, 1.5, 3.0]),
    ],
)
def test_searches_come_an_interval_apart_however_far_apart_frames_are(
    step_s: float, searched_s: list[float]
) -> None:
    rule, searched = SearchRule(1.0), []
    for number in range(round(4 / step_s)):
        at_s = number * step_s
        if rule.is_due(at_s, step_s):
            rule.searched(at_s, has_moved=False, has_found=False)
            searched.append(at_s)
    assert searched == pytest.approx(searched_s)


def test_movement_causes_no_search_while_frames_wait_for_their_turns() -> None:
    rule = SearchRule(1.0)
    rule.searched(0.0, has_moved=False, has_found=False)
    assert rule.may_follow_movement(0.8, 0.2, 0.05)
    assert not rule.may_follow_movement(0.8, 0.2, 0.06)
    assert rule.may_follow_movement(0.8, 0.03, 0.02), "one picture of another stream is no overload"
    assert rule.is_due(1.0, 0.2)


def test_movement_in_vain_is_followed_ever_later_and_not_later_than_half_the_interval() -> None:
    rule, at_s, waits = SearchRule(8.0), 0.0, []
    for _ in range(6):
        rule.searched(at_s, has_moved=True, has_found=False)
        wait_s = next(
            step for step in range(1, 100) if rule.may_follow_movement(at_s + step, 0.0, 0.0)
        )
        waits.append(wait_s)
        at_s += wait_s
    assert waits == [2, 4, 4, 4, 4, 4]


@pytest.mark.parametrize(("has_moved", "has_found"), [(True, True), (False, False), (False, True)])
def test_a_new_face_or_a_still_picture_makes_movement_count_again(
    has_moved: bool, has_found: bool
) -> None:
    rule = SearchRule(8.0)
    for at_s in (0.0, 8.0, 16.0):
        rule.searched(at_s, has_moved=True, has_found=False)
    assert not rule.may_follow_movement(19.0, 0.0, 0.0)
    rule.searched(24.0, has_moved=has_moved, has_found=has_found)
    assert rule.may_follow_movement(26.0, 0.0, 0.0)
