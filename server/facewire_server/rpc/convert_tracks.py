"""Converts track events and pictures to protobuf, and what a watcher asks for to a filter."""

from collections.abc import Sequence
from typing import Final

from facewire.v1 import face_pb2, recognition_pb2
from facewire_server.access.caller import allowed_galleries
from facewire_server.errors import InvalidField
from facewire_server.galleries.ids import checked_identity_id
from facewire_server.rpc.checks import checked_text
from facewire_server.rpc.convert import decision_message
from facewire_server.rpc.convert_quality import quality_message
from facewire_server.streams.journal import Crop, EventFilter, WatchedEvent
from facewire_server.types import TrackEvent, TrackReason, TrackState

__all__ = ["crop_message", "event_filter", "track_event_message", "watched_message"]

_MOST_IDS: Final = 64
"""Most cameras, and identities, of a filter: the contract's limit."""

_MOST_STATES: Final = 16
"""Most states of a filter: the contract's limit."""

_MAX_CAMERA_ID_BYTES: Final = 128
"""Bytes of UTF-8: the contract's limit of `StreamConfig.camera_id`."""

_STATES = {
    TrackState.TENTATIVE: recognition_pb2.TRACK_STATE_TENTATIVE,
    TrackState.CONFIRMED: recognition_pb2.TRACK_STATE_CONFIRMED,
    TrackState.RETRACTED: recognition_pb2.TRACK_STATE_RETRACTED,
    TrackState.ENDED: recognition_pb2.TRACK_STATE_ENDED,
}
_REASONS = {
    TrackReason.EVIDENCE: recognition_pb2.TRACK_REASON_EVIDENCE,
    TrackReason.GALLERY_CHANGED: recognition_pb2.TRACK_REASON_GALLERY_CHANGED,
    TrackReason.LOST: recognition_pb2.TRACK_REASON_LOST,
    TrackReason.STREAM_ENDED: recognition_pb2.TRACK_REASON_STREAM_ENDED,
    TrackReason.APPEARED: recognition_pb2.TRACK_REASON_APPEARED,
    TrackReason.SWAPPED: recognition_pb2.TRACK_REASON_SWAPPED,
}


def track_event_message(event: TrackEvent) -> recognition_pb2.TrackEvent:
    """Converts one event."""
    decision = decision_message(event.decision)
    decision.ClearField("template_id")
    decision.ClearField("candidates")
    decision.ClearField("judgment")
    return recognition_pb2.TrackEvent(
        event_id=event.event_id,
        camera_id=event.camera_id,
        track_id=event.track_id,
        state=_STATES[event.state],
        decision=decision,
        previous_identity_id=event.previous_identity_id,
        reason=_REASONS[event.reason],
        first_sequence=event.first_sequence,
        last_sequence=event.last_sequence,
        server_time_us=event.server_time_us,
        gallery_id=event.gallery_id,
        visit_id=event.visit_id,
        first_seen_us=event.first_seen_us,
        last_seen_us=event.last_seen_us,
        has_crop=event.has_crop,
        presentation_attack_score=event.presentation_attack,
    )


def watched_message(watched: WatchedEvent) -> recognition_pb2.WatchTracksResponse:
    """Converts an event for a watcher."""
    return recognition_pb2.WatchTracksResponse(
        event=track_event_message(watched.event), events_lost=watched.events_lost
    )


def crop_message(crop: Crop) -> recognition_pb2.GetTrackCropResponse:
    """Converts the picture of a track."""
    return recognition_pb2.GetTrackCropResponse(
        image=face_pb2.Image(format=face_pb2.IMAGE_FORMAT_JPEG, data=crop.jpeg),
        sequence=crop.sequence,
        quality=quality_message(crop.quality),
    )


def event_filter(request: recognition_pb2.WatchTracksRequest) -> EventFilter:
    """Returns which events a watcher wants, of those that the caller may see; raises InvalidField."""
    _check_count(request.camera_ids, "camera_ids", _MOST_IDS)
    _check_count(request.identity_ids, "identity_ids", _MOST_IDS)
    _check_count(request.states, "states", _MOST_STATES)
    for number, camera_id in enumerate(request.camera_ids):
        checked_text(camera_id, f"camera_ids[{number}]", max_bytes=_MAX_CAMERA_ID_BYTES)
    for number, identity_id in enumerate(request.identity_ids):
        checked_identity_id(identity_id, f"identity_ids[{number}]")
    states = {number: state for state, number in _STATES.items()}
    for number, state in enumerate(request.states):
        if state not in states:
            raise InvalidField(f"states[{number}] is not a state", field=f"states[{number}]")
    return EventFilter(
        camera_ids=frozenset(request.camera_ids),
        identity_ids=frozenset(request.identity_ids),
        states=frozenset(states[one] for one in request.states),
        gallery_ids=allowed_galleries() or frozenset(),
    )


def _check_count(values: Sequence[object], field: str, most: int) -> None:
    if len(values) > most:
        raise InvalidField(f"{field} may name at most {most}", field=field)
