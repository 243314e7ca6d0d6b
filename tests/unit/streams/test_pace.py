"""Advice comes once a window, and only to a camera that was too fast."""

import pytest

from facewire_server.streams.pace import PaceRule


def test_a_camera_that_keeps_pace_gets_none() -> None:
    rule = PaceRule(0.0)
    rule.count(answered=100)
    assert rule.due(10.0) is None


def test_a_camera_that_is_too_fast_gets_the_pace_once_a_window() -> None:
    rule = PaceRule(0.0)
    rule.count(answered=40, skipped=1)
    assert rule.due(9.9) is None
    assert rule.due(10.0) == pytest.approx(4.0)
    assert rule.due(10.1) is None
    assert rule.due(20.0) is None, "the next window had no skipped frame"


def test_no_pace_of_zero_is_advised() -> None:
    rule = PaceRule(0.0)
    rule.count(skipped=100)
    assert rule.due(10.0) is None
