"""A server that was away does not end the tracks of those who stayed in view."""

import time
from dataclasses import replace

import pytest

from facewire_server.streams.camera.kept_tracks import track_record
from facewire_server.streams.journal import OpenTrack
from fakes.tracks import known, track_event, unknown

NUMBERS = (10.0, 20.0, 110.0, 140.0, 1.0, -1.0, 0.25)


def unseen_s(name: str, away_s: float) -> float:
    event = replace(track_event(7), decision=unknown())
    if name:
        event = replace(event, decision=known(name))
    record = track_record(OpenTrack(event, (*NUMBERS, time.time() - away_s)))
    assert record is not None
    assert record.box == NUMBERS[:4]
    return record.unseen_s


@pytest.mark.parametrize(("name", "away_s"), [("ann", 5), ("ann", 50), ("", 5)])
def test_the_time_without_a_stream_counts_as_one_second(name: str, away_s: float) -> None:
    assert unseen_s(name, away_s) == pytest.approx(1.25)


def test_of_a_stranger_only_for_a_while() -> None:
    assert unseen_s("", 50) >= 50.25


def test_a_short_break_counts_as_it_is() -> None:
    assert 0.75 <= unseen_s("ann", 0.5) <= 1.25
