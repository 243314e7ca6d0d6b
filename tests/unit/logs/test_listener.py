"""Which events become entries, and when those that are missing are counted."""

import logging
from typing import Any

import pytest

from facewire_server.events import FramesSkipped, GalleryChanged, LoopLag, Stopped, TokenRefused
from facewire_server.logs.listener import LOOP_LAG_S, LogListener
from facewire_server.logs.rate_limit import _BURST, _REFILL_S, RateLimit

TICK = LoopLag(0.0)


class Log:
    """A listener whose clock stands still, and what it logged."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        self._caplog = caplog
        self.time_s = 0.0
        self.emit = LogListener(RateLimit(lambda: self.time_s))

    def entries(self) -> list[tuple[str, Any]]:
        """Name and fields of what was logged since the last call."""
        found = [(each.getMessage(), vars(each)["fields"]) for each in self._caplog.records]
        self._caplog.clear()
        return found


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    return Log(caplog)


def test_what_happens_for_each_frame_is_not_logged(log: Log) -> None:
    log.emit(FramesSkipped("a", "SUPERSEDED", 2))
    assert log.entries() == []


def test_a_lag_is_logged_if_cameras_see_it(log: Log) -> None:
    log.emit(LoopLag(LOOP_LAG_S - 0.01))
    assert log.entries() == []
    log.emit(LoopLag(LOOP_LAG_S))
    assert log.entries() == [("loop_lag", {"lag_s": LOOP_LAG_S})]


def test_a_flood_is_summarized_while_it_lasts_and_after_it(log: Log) -> None:
    for _ in range(_BURST + 7):
        log.emit(TokenRefused("ipv4:10.0.0.7:1"))
    log.emit(TICK)
    assert len(log.entries()) == _BURST
    log.time_s += _REFILL_S
    log.emit(TICK)
    assert log.entries() == [("suppressed", {"suppressed_event": "token_refused", "count": 7})]
    log.emit(TICK)
    assert log.entries() == []


def test_nothing_is_left_uncounted_when_the_server_stops(log: Log) -> None:
    for _ in range(_BURST + 1):
        log.emit(TokenRefused("ipv4:10.0.0.7:1"))
    log.entries()
    log.emit(Stopped())
    summary, stopped = log.entries()
    assert summary == ("suppressed", {"suppressed_event": "token_refused", "count": 1})
    assert stopped == ("stopped", {})


def test_no_change_of_a_gallery_is_suppressed(log: Log) -> None:
    for revision in range(3 * _BURST):
        log.emit(GalleryChanged("enroll", "default", "ipv4:10.0.0.7:1", 1, 1, revision))
    assert len(log.entries()) == 3 * _BURST
