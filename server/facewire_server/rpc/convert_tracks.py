"""Converts track events to protobuf."""

from facewire.v1 import recognition_pb2
from facewire_server.rpc.convert import decision_message
from facewire_server.types import TrackEvent, TrackReason, TrackState

__all__ = ["track_event_message"]

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
    )
