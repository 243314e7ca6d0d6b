"""The inputs and outputs of a stream, independent of any protocol.

In: one `StreamPlan`, then a `Frame` each. Out: one `Started`, then for each frame exactly one
`Answered` or a place in one `Skipped`, in order, with a `TrackEvent` or an `Advice` in between; `Reconnect` is the last one
if the server ends the stream.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from facewire_server.errors import InvalidInput, ServerError
from facewire_server.types import (
    DecisionPolicy,
    DetectionOptions,
    Picture,
    Recognition,
    TrackEvent,
)

__all__ = [
    "SEARCH_INTERVAL_S",
    "Advice",
    "Answered",
    "Arrival",
    "Frame",
    "Reconnect",
    "ReconnectReason",
    "SkipReason",
    "Skipped",
    "Started",
    "StreamInput",
    "StreamOutput",
    "StreamPlan",
]


SEARCH_INTERVAL_S: Final = 1.0
"""Time between two searches unless the client asks for another, seconds. Measured (`python -m bench.search_delays`): at 15 frames a
second a person who comes in is found up to 0.1 s later in the mean than with 0.5, and at 5 a third fewer frames are searched. What does
not move, and has no face, hardly gets one."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """The options that one camera asked for.

    Attributes:
        gallery_id: the gallery to search.
        newest_wins: of the frames that wait, work on the newest only.
        decision: when a face counts as recognized.
        detection: what counts as a face.
        camera_id: the camera's name for itself, "" if it has none; chosen by the client.
        rotation_degrees: the clockwise turn that makes its pictures upright: 0, 90, 180 or 270.
        search_interval_s: time between two searches of the whole picture; in between, known faces are followed.
        events_only: frames are answered without their faces and timings.
        resume_token: of the stream that this one resumes; b"" = none.
    """

    gallery_id: str
    newest_wins: bool
    decision: DecisionPolicy
    detection: DetectionOptions
    camera_id: str = ""
    rotation_degrees: int = 0
    search_interval_s: float = SEARCH_INTERVAL_S
    events_only: bool = False
    resume_token: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a camera.

    Attributes:
        sequence: >= 1, above that of the frame before.
        captured_at_us: the camera's clock, returned unchanged.
        picture: not decoded yet; an InvalidInput if the message describes no picture.
    """

    sequence: int
    captured_at_us: int
    picture: Picture | InvalidInput

    @property
    def byte_count(self) -> int:
        """Bytes of the picture as received."""
        return len(self.picture.data) if isinstance(self.picture, Picture) else 0


StreamInput: TypeAlias = StreamPlan | Frame


class Arrival(NamedTuple):
    """A frame and the time of its arrival, by `time.perf_counter`."""

    frame: Frame
    read_at_s: float


@dataclass(frozen=True, slots=True)
class Started:
    """The plan was accepted; frames may be sent.

    Attributes:
        resume_token: names the stream to whoever resumes it.
        resume_after_sequence: frames up to this one were accounted for by the stream that it resumes; 0 for a new one.
        resume_within_ms: how long the token is good for once the stream broke off.
    """

    resume_token: bytes = field(default=b"", repr=False)
    resume_after_sequence: int = 0
    resume_within_ms: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one frame.

    Attributes:
        sequence, captured_at_us: the frame's.
        result: what was recognized, or why that failed: an InvalidInput, Unavailable or TimedOut.
    """

    sequence: int
    captured_at_us: int
    result: Recognition | ServerError


class SkipReason(Enum):
    """Why frames were not worked on (`facewire.v1.SkipReason`)."""

    SUPERSEDED = "a newer frame came"
    OVER_CREDIT = "the client sent more than its credit"
    SHUTTING_DOWN = "the server is shutting down"


@dataclass(slots=True)
class Skipped:
    """Frames that were not worked on, as one range (`facewire.v1.FramesSkipped`)."""

    first_sequence: int
    last_sequence: int
    frame_count: int
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Advice:
    """The pace and size that this server can use.

    Attributes:
        target_fps: frames a second that the server kept up with.
        longest_side_px: longest side beyond which more pixels improve no answer; 0 = no advice.
    """

    target_fps: float
    longest_side_px: int


class ReconnectReason(Enum):
    """Why the server ends a stream (`facewire.v1.ReconnectReason`)."""

    SHUTTING_DOWN = "the server is shutting down"
    REBALANCE = "another worker of the server has fewer streams"
    IDLE = "another stream needs the place, and this one sends no frames"


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The server ends the stream; the camera should open a new one.

    Attributes:
        after_ms: milliseconds to wait first.
        reason: why.
    """

    after_ms: int
    reason: ReconnectReason = ReconnectReason.SHUTTING_DOWN


StreamOutput: TypeAlias = Started | Answered | Skipped | TrackEvent | Advice | Reconnect
