"""What happened in front of a camera: the events of tracks, and a track's best picture, as immutable values."""

from dataclasses import dataclass
from datetime import datetime

from facewire._values.enums import Outcome, TrackReason, TrackState
from facewire._values.faces import Decision, Quality
from facewire._values.pictures import Image

__all__ = ["TrackCrop", "TrackEvent"]


@dataclass(frozen=True, slots=True)
class TrackEvent:
    """A change in what is known about one person in front of one camera.

    A track begins TENTATIVE, is CONFIRMED as a known identity or as an unknown person, may be RETRACTED and CONFIRMED
    again, and is ENDED once. One name never follows another without a retraction between. All times are the
    server's, with a time zone (UTC).

    Attributes:
        event_id: its number, increasing over all cameras of a server, and never used again.
        camera_id: the camera, as its stream named it.
        track_id: the track, as of `Face.track_id`.
        state: the state of the track from now on.
        decision: the present one; of an ENDED track the last one.
        previous_identity_id: the identity before; "" unless RETRACTED.
        reason: why the state changed.
        first_sequence: the first frame of the track.
        last_sequence: its last frame so far.
        server_time: when it happened.
        gallery_id: the gallery that was searched.
        visit_id: the visit: the `track_id` of its first track. A person who left the picture and is back within a minute
            begins another track of the same visit.
        first_seen: when the first frame of the track arrived.
        last_seen: when the last frame that shows the face arrived.
        has_crop: whether `Client.track_crop` has a picture of the face.
        presentation_attack_score: EXPERIMENTAL: `Face.presentation_attack_score`, of all looks at the track until this event.
    """

    event_id: int
    camera_id: str
    track_id: int
    state: TrackState
    decision: Decision
    previous_identity_id: str
    reason: TrackReason
    first_sequence: int
    last_sequence: int
    server_time: datetime
    gallery_id: str
    visit_id: int
    first_seen: datetime
    last_seen: datetime
    has_crop: bool
    presentation_attack_score: float | None = None

    @property
    def name(self) -> str | None:
        """The display name of a KNOWN person, None of any other."""
        return self.decision.display_name if self.known else None

    @property
    def label(self) -> str:
        """Who it is, for people; see `Decision.label`."""
        return self.decision.label

    @property
    def known(self) -> bool:
        """Whether the person is recognized: an event that takes a name back has an open decision."""
        return self.decision.outcome is Outcome.KNOWN

    @property
    def frame_count(self) -> int:
        """Frames that this accounts for, as of `FrameResult`: none."""
        return 0


@dataclass(frozen=True, slots=True)
class TrackCrop:
    """The best picture of a track's face.

    Attributes:
        image: a JPEG of the face and half of its size around it, upright.
        sequence: the frame that it was cut from.
        quality: how well the face can be recognized.
    """

    image: Image
    sequence: int
    quality: Quality
