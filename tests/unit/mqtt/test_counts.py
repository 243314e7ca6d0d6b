"""How many people are before a camera, of the events so far."""

import pytest

from facewire import Outcome, TrackState
from facewire._mqtt import counts
from facewire._mqtt.counts import COUNTS, PeopleCounts
from unit.mqtt.test_presence import event

DOOR = "door"


def counted(counts: PeopleCounts, camera: str = DOOR) -> tuple[int, ...]:
    return tuple(counts.of(camera).values())


def test_what_is_counted_is_what_is_announced() -> None:
    assert PeopleCounts().of(DOOR).keys() == COUNTS.keys()


def test_a_person_counts_until_the_track_ends() -> None:
    here = PeopleCounts()
    assert here.is_changed_by(event(TrackState.TENTATIVE))
    assert counted(here) == (1, 0, 0)
    assert here.is_changed_by(event(TrackState.CONFIRMED, "ada"))
    assert counted(here) == (1, 1, 0)
    assert not here.is_changed_by(event(TrackState.CONFIRMED, "ada")), "it came twice"
    assert here.is_changed_by(event(TrackState.RETRACTED, before="ada"))
    assert counted(here) == (1, 0, 0)
    assert here.is_changed_by(event(TrackState.ENDED, "ada"))
    assert counted(here) == (0, 0, 0)
    assert not here.is_changed_by(event(TrackState.ENDED, "ada"))


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.KNOWN, (1, 1, 0)),
        (Outcome.UNKNOWN, (1, 0, 1)),
        (Outcome.AMBIGUOUS, (1, 0, 0)),
        (Outcome.TOO_POOR, (1, 0, 0)),
    ],
)
def test_who_is_neither_known_nor_unknown_is_a_person_all_the_same(outcome, expected) -> None:
    here = PeopleCounts()
    here.is_changed_by(event(TrackState.CONFIRMED, outcome=outcome))
    assert counted(here) == expected


def test_cameras_are_counted_apart() -> None:
    here = PeopleCounts()
    here.is_changed_by(event(TrackState.CONFIRMED, "ada", track=1))
    here.is_changed_by(event(TrackState.CONFIRMED, "ada", track=2, camera="yard"))
    here.is_changed_by(event(TrackState.CONFIRMED, outcome=Outcome.UNKNOWN, track=3))
    assert (counted(here), counted(here, "yard")) == ((2, 1, 1), (1, 1, 0))
    here.forget_tracks()
    assert (counted(here), counted(here, "yard")) == ((0, 0, 0), (0, 0, 0))


def test_tracks_whose_end_was_lost_do_not_grow_without_bound(monkeypatch) -> None:
    monkeypatch.setattr(counts, "_MOST_TRACKS", 3)
    here = PeopleCounts()
    for number in range(9):
        here.is_changed_by(event(TrackState.TENTATIVE, track=number))
    assert counted(here) == (3, 0, 0)
