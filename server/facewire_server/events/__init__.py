"""What happens in a server, as values. Rooms emit them; logs, metrics and traces listen.

No event carries a picture, an embedding, a display name or the id of an identity or a template. A gallery id
is chosen by the operator, a camera id by the client: a listener decides whether it may show them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from facewire_server.errors import ServerError
from facewire_server.events.operators import (
    AttackModelFailed,
    AuditFailed,
    CallRefused,
    ConnectionsClosed,
    CredentialsReloaded,
    DeletedErased,
    Draining,
    DrainOverran,
    ErasureFailed,
    FileExposed,
    GalleryAction,
    GalleryChanged,
    GalleryExported,
    GalleryStateChanged,
    InternalError,
    JournalFailed,
    JournalReplaced,
    LameDuck,
    Listening,
    LoopLag,
    MetricsListening,
    ModelStateChanged,
    RoleRefused,
    ServerStarted,
    StopForced,
    Stopped,
    TlsFailed,
    TokenRefused,
    UnknownFailed,
    WorkerDied,
    WorkerServes,
    WorkersGivenUp,
    WorkersReplaced,
)

__all__ = [
    "AttackModelFailed",
    "AuditFailed",
    "CallRefused",
    "ConnectionsClosed",
    "CredentialsReloaded",
    "DeletedErased",
    "DrainOverran",
    "Draining",
    "Emit",
    "ErasureFailed",
    "Event",
    "FileExposed",
    "FrameAccounted",
    "FrameDamaged",
    "FrameLookedAt",
    "FrameRead",
    "FramesSkipped",
    "GalleryAction",
    "GalleryChanged",
    "GalleryExported",
    "GalleryStateChanged",
    "InternalError",
    "JournalFailed",
    "JournalReplaced",
    "LameDuck",
    "Listening",
    "LoopLag",
    "MetricsListening",
    "ModelStateChanged",
    "PictureFinished",
    "RoleRefused",
    "ServerStarted",
    "Stage",
    "StopForced",
    "Stopped",
    "StreamEnded",
    "StreamOpened",
    "StreamRefused",
    "TlsFailed",
    "TokenRefused",
    "TrackChanged",
    "UnknownFailed",
    "WorkerDied",
    "WorkerServes",
    "WorkersGivenUp",
    "WorkersReplaced",
    "broadcast",
    "ignore",
]


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the work on a picture.

    Attributes:
        name: of the step: "decode" (which includes drawing the detector's canvas), "detect", "align", "embed" or "match".
        started_s, ended_s: by `time.perf_counter`.
    """

    name: str
    started_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class PictureFinished:
    """The work on one picture ended. Emitted in the task that worked on it.

    A picture that never got a slot has no such event: a frame that timed out while it waited, or was skipped.

    Attributes:
        purpose: "stream", "recognize", "compare", "enroll", "negative_example" or "evaluate".
        byte_count: bytes of the picture as received.
        started_s, ended_s: of the work, without the wait for a slot; by `time.perf_counter`.
        waited_s: before the work, for a slot; of a frame, since its arrival.
        stages: the ones that were finished, in order of their ends; they overlap. One that raised or was
            cancelled is missing.
        error: the class of the error that ended the work; None = it succeeded.
    """

    purpose: str
    byte_count: int
    started_s: float
    ended_s: float
    waited_s: float
    stages: tuple[Stage, ...]
    error: type[BaseException] | None


@dataclass(frozen=True, slots=True)
class FrameRead:
    """A frame of a stream was received.

    Attributes:
        camera_id: of the stream.
        byte_count: bytes of the picture as received.
    """

    camera_id: str
    byte_count: int


@dataclass(frozen=True, slots=True)
class FrameAccounted:
    """A frame of a stream was answered.

    Attributes:
        camera_id: of the stream.
        latency_s: from the frame's arrival to its answer, which is sent when those before it are.
        error: the class of the error that was the answer; None = it was recognized.
    """

    camera_id: str
    latency_s: float
    error: type[ServerError] | None


@dataclass(frozen=True, slots=True)
class FrameDamaged:
    """A frame of a stream was damaged, or of a format that is not read. Emitted once a stream, for the first such frame.

    Attributes:
        camera_id: of the stream.
        detail: what is wrong with it; names nothing that is in the picture.
        is_read: it was recognized nevertheless.
    """

    camera_id: str
    detail: str
    is_read: bool


@dataclass(frozen=True, slots=True)
class FrameLookedAt:
    """A frame of a stream was recognized.

    Attributes:
        camera_id: of the stream.
        mode: name of the `DetectionMode`.
        face_count: faces in the answer.
        embedded_count: of these, faces that were embedded.
    """

    camera_id: str
    mode: str
    face_count: int
    embedded_count: int


@dataclass(frozen=True, slots=True)
class TrackChanged:
    """A track event was recorded.

    Attributes:
        camera_id: of the stream.
        state, reason: names of the `TrackState` and the `TrackReason`.
    """

    camera_id: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class FramesSkipped:
    """Frames of a stream were skipped.

    Attributes:
        camera_id: of the stream.
        reason: name of the `SkipReason`.
        frame_count: how many.
    """

    camera_id: str
    reason: str
    frame_count: int


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """A stream was accepted, and its config is read.

    Attributes:
        camera_id: as the client named it, or "".
        peer: address of the client, as gRPC writes it.
    """

    camera_id: str
    peer: str


@dataclass(frozen=True, slots=True)
class StreamRefused:
    """A stream was not accepted: limits, shutdown, or a config that cannot be served.

    Attributes:
        peer: address of the client.
        error: the class of the refusal.
    """

    peer: str
    error: type[BaseException]


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """A stream that was opened ended.

    Attributes:
        camera_id, peer: of the stream.
        duration_s: since it was opened.
        recognized, failed, skipped: numbers of frames with this outcome.
        searched: of those recognized, frames in which the whole picture was searched.
        tracks: tracks that began.
        median_s: median time from a frame's arrival to its answer; 0 without any.
        error: the class of the error that ended it, which is CancelledError if the client went
            away or the time to drain was over; None = it ended normally.
        is_drained: the server ended it, because it shuts down.
    """

    camera_id: str
    peer: str
    duration_s: float
    recognized: int
    failed: int
    skipped: int
    median_s: float
    searched: int
    tracks: int
    error: type[BaseException] | None
    is_drained: bool = False


Event: TypeAlias = (
    PictureFinished
    | FrameRead
    | FrameAccounted
    | FrameDamaged
    | FrameLookedAt
    | TrackChanged
    | FramesSkipped
    | StreamOpened
    | StreamRefused
    | StreamEnded
    | ServerStarted
    | Listening
    | FileExposed
    | MetricsListening
    | LameDuck
    | Draining
    | DrainOverran
    | StopForced
    | Stopped
    | WorkerServes
    | WorkerDied
    | WorkersGivenUp
    | WorkersReplaced
    | CredentialsReloaded
    | TokenRefused
    | RoleRefused
    | CallRefused
    | ConnectionsClosed
    | TlsFailed
    | ModelStateChanged
    | GalleryChanged
    | GalleryExported
    | DeletedErased
    | ErasureFailed
    | GalleryStateChanged
    | JournalReplaced
    | JournalFailed
    | UnknownFailed
    | AttackModelFailed
    | AuditFailed
    | LoopLag
    | InternalError
)

Emit: TypeAlias = Callable[[Event], None]
"""Takes an event. It returns at once, never raises, and runs on the event loop."""


def ignore(event: Event) -> None:
    """Drops an event: the `Emit` of a part that has no listener."""


def broadcast(*listeners: Emit) -> Emit:
    """Returns an `Emit` that passes each event to every listener, in order."""

    def emit(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return emit
