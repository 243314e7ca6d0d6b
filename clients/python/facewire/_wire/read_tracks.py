"""Reads the messages of recognition.proto about tracks as values."""

from facewire._values.enums import ImageFormat, TrackReason, TrackState
from facewire._values.pictures import Image
from facewire._values.tracks import TrackCrop, TrackEvent
from facewire._wire.read_faces import read_attack_score, read_decision, read_quality
from facewire._wire.read_time import read_time
from facewire.v1 import recognition_pb2

__all__ = ["read_track_crop", "read_track_event"]


def read_track_event(event: recognition_pb2.TrackEvent) -> TrackEvent:
    return TrackEvent(
        event_id=event.event_id,
        camera_id=event.camera_id,
        track_id=event.track_id,
        state=TrackState.from_wire(event.state),
        decision=read_decision(event.decision),
        previous_identity_id=event.previous_identity_id,
        reason=TrackReason.from_wire(event.reason),
        first_sequence=event.first_sequence,
        last_sequence=event.last_sequence,
        server_time=read_time(event.server_time_us),
        gallery_id=event.gallery_id,
        visit_id=event.visit_id,
        first_seen=read_time(event.first_seen_us),
        last_seen=read_time(event.last_seen_us),
        has_crop=event.has_crop,
        presentation_attack_score=read_attack_score(event),
    )


def read_track_crop(response: recognition_pb2.GetTrackCropResponse) -> TrackCrop:
    return TrackCrop(
        image=Image(response.image.data, ImageFormat.from_wire(response.image.format)),
        sequence=response.sequence,
        quality=read_quality(response.quality),
    )
