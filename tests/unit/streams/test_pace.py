"""Advice comes once a window, and only to a camera that was too fast."""

import pytest

from facewire_server.errors import TimedOut
from facewire_server.streams.pace import PaceRule
from facewire_server.streams.values import Answered, Skipped, SkipReason


def rule_after(*, answered: int = 0, skipped: int = 0, shut_down: int = 0) -> PaceRule:
    rule = PaceRule(0.0)
    for sequence in range(1, answered + 1):
        rule.count(Answered(sequence, 0, TimedOut("late")))
    if skipped:
        rule.count(Skipped(1, skipped, skipped, SkipReason.SUPERSEDED))
    if shut_down:
        rule.count(Skipped(1, shut_down, shut_down, SkipReason.SHUTTING_DOWN))
    return rule


def test_a_camera_that_keeps_pace_gets_none() -> None:
    assert rule_after(answered=100).due(10.0) is None


def test_a_camera_that_is_too_fast_gets_the_pace_once_a_window() -> None:
    rule = rule_after(answered=40, skipped=1)
    assert rule.due(9.9) is None
    assert rule.due(10.0) == pytest.approx(4.0)
    assert rule.due(10.1) is None
    assert rule.due(20.0) is None, "the next window had no skipped frame"


def test_each_window_is_judged_by_its_own_frames_and_length() -> None:
    rule = PaceRule(1000.0)
    for start_s, length_s, answered in ((1000.0, 10.0, 40), (1010.0, 20.0, 30)):
        for sequence in range(1, answered + 1):
            rule.count(Answered(sequence, 0, TimedOut("late")))
        rule.count(Skipped(1, 1, 1, SkipReason.OVER_CREDIT))
        assert rule.due(start_s + length_s) == pytest.approx(answered / length_s)


def test_no_pace_of_zero_is_advised() -> None:
    assert rule_after(skipped=100).due(10.0) is None


def test_a_shutdown_is_no_reason_to_slow_down() -> None:
    assert rule_after(answered=40, shut_down=3).due(10.0) is None
