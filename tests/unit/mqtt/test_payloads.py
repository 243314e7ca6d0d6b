"""What is published about an event, and what is left out of it."""

import json

from facewire import TrackEvent
from facewire._mqtt.payloads import encoded, event_payload
from facewire._wire.read_tracks import read_track_event
from facewire.v1 import face_pb2, recognition_pb2


def seen(score: float | None = None) -> TrackEvent:
    decision = face_pb2.Decision(
        outcome=face_pb2.OUTCOME_KNOWN, identity_id="4711", display_name="Ada"
    )
    message = recognition_pb2.TrackEvent(
        event_id=1, state=recognition_pb2.TRACK_STATE_CONFIRMED, decision=decision
    )
    if score is not None:
        message.presentation_attack_score = score
    return read_track_event(message)


def test_a_name_leaves_the_server_only_if_that_is_allowed() -> None:
    assert "Ada" not in repr(event_payload(seen(), with_names=False))
    assert event_payload(seen(), with_names=True)["name"] == "Ada"


def test_a_hint_of_a_presentation_attack_is_published_if_it_was_looked_for() -> None:
    assert "presentation_attack_score" not in event_payload(seen(), with_names=False)
    for score, shown in ((0.96875, 0.9688), (0.0, 0.0)):
        payload = json.loads(encoded(event_payload(seen(score), with_names=False)))
        assert payload["presentation_attack_score"] == shown
