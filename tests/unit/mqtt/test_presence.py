"""Who is before which camera, of the events so far."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from facewire import Decision, Outcome, TrackEvent, TrackReason, TrackState
from facewire._mqtt import presence
from facewire._mqtt.names import person_key
from facewire._mqtt.presence import Presence

NOW = datetime(2026, 11, 27, tzinfo=UTC)
ADA = person_key("default", "ada")


def decided(identity_id: str, outcome: Outcome | None) -> Decision:
    return Decision(
        outcome=outcome or (Outcome.KNOWN if identity_id else Outcome.PENDING), identity_id=identity_id,
        display_name=f"Name of {identity_id}" if identity_id else "", similarity=0.7, threshold=0.5, margin=0.1,
        template_id="", gallery_revision=1, candidates=(),
    )  # fmt: skip


def event(
    state: TrackState,
    identity_id: str = "",
    *,
    track: int = 1,
    camera: str = "door",
    before: str = "",
    outcome: Outcome | None = None,
) -> TrackEvent:
    return TrackEvent(
        event_id=1, camera_id=camera, track_id=track, state=state, decision=decided(identity_id, outcome),
        previous_identity_id=before, reason=TrackReason.EVIDENCE, first_sequence=1, last_sequence=2, server_time=NOW,
        gallery_id="default", visit_id=track, first_seen=NOW, last_seen=NOW, has_crop=False,
    )  # fmt: skip


@pytest.fixture
def here() -> Presence:
    known = Presence(with_names=False)
    assert known.is_new_person(event(TrackState.CONFIRMED, "ada"))
    assert not known.is_new_person(event(TrackState.CONFIRMED, "ada"))
    return known


def test_a_person_is_where_they_were_confirmed_until_the_track_ends(here: Presence) -> None:
    assert here.changes(event(TrackState.CONFIRMED, "ada")) == {ADA: "door"}
    assert here.present() == {ADA: "door"}
    assert here.changes(event(TrackState.ENDED, "ada")) == {}, "the sensor expires by itself"
    assert here.present() == {}


def test_a_person_before_two_cameras_is_at_the_one_that_is_left(here: Presence) -> None:
    here.changes(event(TrackState.CONFIRMED, "ada"))
    here.changes(event(TrackState.CONFIRMED, "ada", track=2, camera="yard"))
    assert here.changes(event(TrackState.RETRACTED, track=2, camera="yard", before="ada")) == {
        ADA: "door"
    }


def test_a_name_that_is_taken_back_is_nowhere(here: Presence) -> None:
    here.changes(event(TrackState.CONFIRMED, "ada"))
    assert here.changes(event(TrackState.RETRACTED, before="ada")) == {ADA: None}
    assert here.changes(event(TrackState.RETRACTED)) == {}, "of whoever was deleted nothing is said"


def test_who_has_no_sensor_is_nowhere(here: Presence) -> None:
    assert here.changes(event(TrackState.CONFIRMED, "bo")) == {}
    assert here.present() == {}


def test_lost_events_end_all_tracks(here: Presence) -> None:
    here.changes(event(TrackState.CONFIRMED, "ada"))
    here.forget_tracks()
    assert here.present() == {}


def test_nothing_grows_without_bound(here: Presence, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_MOST_CAMERAS", "_MOST_PEOPLE", "_MOST_TRACKS"):
        monkeypatch.setattr(presence, name, 3)
    for number in range(9):
        seen = event(
            TrackState.CONFIRMED, f"person {number}", track=number, camera=f"camera {number}"
        )
        here.is_new_camera(seen)
        here.is_new_person(seen)
        here.changes(seen)
    assert (len(here.cameras), len(here.people)) == (3, 3)
    for number in range(9):
        here.changes(event(TrackState.CONFIRMED, "ada", track=100 + number))
    assert len(here._tracks) == 3


def test_a_name_is_shown_only_if_that_is_allowed() -> None:
    seen = event(TrackState.CONFIRMED, "ada")
    ids, names = Presence(with_names=False), Presence(with_names=True)
    assert ids.is_new_person(seen)
    assert names.is_new_person(seen)
    assert (ids.people[ADA], names.people[ADA]) == ("ada", "Name of ada")
    renamed = replace(seen, decision=replace(seen.decision, display_name="Ada L."))
    assert names.is_new_person(renamed), "the sensor gets the new name"
    assert not ids.is_new_person(renamed)
