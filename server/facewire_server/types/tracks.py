"""Tracks: what is known about one person in front of one camera, and how that changes."""

from dataclasses import dataclass
from enum import Enum

from facewire_server.types.decisions import Decision

__all__ = ["TrackEvent", "TrackReason", "TrackState"]


class TrackState(Enum):
    """The state of a track (`facewire.v1.TrackState`)."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    RETRACTED = "retracted"
    ENDED = "ended"


class TrackReason(Enum):
    """Why a track changed (`facewire.v1.TrackReason`)."""

    EVIDENCE = "evidence"
    GALLERY_CHANGED = "gallery changed"
    LOST = "lost"
    STREAM_ENDED = "stream ended"
    APPEARED = "appeared"
    SWAPPED = "swapped"


@dataclass(frozen=True, slots=True)
class TrackEvent:
    """A change of a track (`facewire.v1.TrackEvent`).

    Attributes:
        camera_id: chosen by the client, "" if it has none.
        gallery_id: the gallery that was searched.
        track_id: the track; never used again.
        visit_id: the first track of the visit.
        state, reason: what the track is now, and why.
        decision: the present one; of an ended track the last.
        first_sequence, last_sequence: frames of the track so far.
        first_seen_us, last_seen_us: server's clock when those frames arrived, microseconds since 1970-01-01 UTC.
        server_time_us: the same of this event.
        previous_identity_id: of the decision before; "" unless the state is RETRACTED.
        event_id: never used again; 0 until the journal has numbered the event.
        has_crop: whether the journal keeps a picture of the face.
        presentation_attack: hint of an attack, of all looks so far, in [0, 1]; None = not scored.
    """

    camera_id: str
    gallery_id: str
    track_id: int
    visit_id: int
    state: TrackState
    reason: TrackReason
    decision: Decision
    first_sequence: int
    last_sequence: int
    first_seen_us: int
    last_seen_us: int
    server_time_us: int
    previous_identity_id: str = ""
    event_id: int = 0
    has_crop: bool = False
    presentation_attack: float | None = None
