"""Movement causes searches, and ever fewer of them while it shows no new face."""

import pytest

from facewire_server.streams.camera.search_rule import SearchRule


def test_the_first_frame_is_searched() -> None:
    rule = SearchRule(0.5)
    assert rule.is_due(0.0, 0.0)
    assert rule.may_follow_movement(0.0)


@pytest.mark.parametrize(("step_s", "due"), [(0.1, False), (0.2, True), (0.6, True)])
def test_a_frame_is_searched_if_the_next_one_would_be_too_late(step_s: float, due: bool) -> None:
    rule = SearchRule(0.5)
    rule.searched(1.0, has_moved=False, has_found=False)
    assert rule.is_due(1.4, step_s) is due


def test_movement_in_vain_is_followed_ever_later_and_not_later_than_half_the_interval() -> None:
    rule, at_s, waits = SearchRule(8.0), 0.0, []
    for _ in range(6):
        rule.searched(at_s, has_moved=True, has_found=False)
        wait_s = next(step for step in range(1, 100) if rule.may_follow_movement(at_s + step))
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
    assert not rule.may_follow_movement(19.0)
    rule.searched(24.0, has_moved=has_moved, has_found=has_found)
    assert rule.may_follow_movement(26.0)
