"""One event of each class that is logged, and a listener that keeps those of one class."""

from asyncio import CancelledError
from typing import Any, Final, TypeVar

from facewire_server.errors import SlowReader, StorageBusy, TooManyCalls, TooManyStreams
from facewire_server.events import (
    AttackModelFailed,
    AuditFailed,
    CallRefused,
    ConnectionsClosed,
    CredentialsReloaded,
    DeletedErased,
    Draining,
    DrainOverran,
    Emit,
    ErasureFailed,
    Event,
    FileExposed,
    FrameDamaged,
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
    StreamEnded,
    StreamOpened,
    StreamRefused,
    TlsFailed,
    TokenRefused,
    UnknownFailed,
    WorkerDied,
    WorkerServes,
    WorkersGivenUp,
    WorkersReplaced,
)

__all__ = ["PEER", "SAMPLES", "keeping", "stream_ended"]

Kept = TypeVar("Kept")

PEER: Final = "ipv6:%5B::1%5D:4433"


def keeping(kind: type[Kept]) -> tuple[list[Kept], Emit]:
    """A list, and what appends each event to it; an event of another class fails the test."""
    events: list[Kept] = []

    def emit(event: Event) -> None:
        assert isinstance(event, kind)
        events.append(event)

    return events, emit


def stream_ended(**changes: Any) -> StreamEnded:
    """A stream of 6 frames that its client ended, but for the changes."""
    values: dict[str, Any] = {
        "camera_id": "front door",
        "peer": PEER,
        "duration_s": 12.34567,
        "recognized": 3,
        "failed": 1,
        "skipped": 2,
        "median_s": 0.0421,
        "searched": 2,
        "tracks": 1,
        "error": None,
    }
    return StreamEnded(**(values | changes))


SAMPLES: Final = (
    ServerStarted(
        version="1.2.3",
        data={"folder": "/srv/my data", "is_new": False, "people": 0},
        model_contract="sface",
        model_contract_id="c" * 64,
        engines={"mtcnn": "OpenVINO in this process", "embedding": "TensorFlow Serving at a:1"},
        processors=2,
        processors_reason="affinity",
        threshold="of each gallery by its people, for a max_fpir of 0.003: about 0.426 among 10, 0.549 among 10000",
        limits={"max_streams": 64, "frame_timeout_s": 10.0},
        settings={"FACEWIRE_MAX_STREAMS": "64", "FACEWIRE_DATA": "my data"},
        changed_settings=("FACEWIRE_DATA",),
    ),
    Listening("127.0.0.1:50051", has_tls=True, has_token=False),
    FileExposed("key.pem", "0644"),
    MetricsListening("127.0.0.1:9464"),
    ModelStateChanged("mtcnn", True, (1, 2), ""),
    ModelStateChanged("mtcnn", False, (), "it does not answer"),
    CredentialsReloaded(""),
    CredentialsReloaded("token is empty"),
    AuditFailed(OSError, "no space left on device"),
    TokenRefused("ipv4:10.0.0.7:1"),
    RoleRefused(
        "/facewire.v1.GalleryService/ExportGallery", PEER, "token front door", ("exporter",)
    ),
    CallRefused("/facewire.v1.GalleryService/GetGallery", PEER, TooManyCalls),
    ConnectionsClosed(800, 812),
    TlsFailed("HTTP_REQUEST"),
    StreamOpened("front door", PEER),
    StreamRefused(PEER, TooManyStreams),
    stream_ended(),
    stream_ended(is_drained=True),
    stream_ended(error=CancelledError),
    stream_ended(error=SlowReader),
    FrameDamaged("front door", "the JPEG picture lacks its end", is_read=True),
    GalleryChanged("enroll", "default", PEER, 1, 4, 7),
    GalleryChanged("import", "default", PEER, 1, 4, 7, poor_count=2),
    GalleryExported("default", PEER, 3, 9, 2, 7, is_complete=False),
    DeletedErased(3, 0.25),
    ErasureFailed("the disk has no room for a second copy of the storage"),
    GalleryStateChanged(is_writable=False, damaged_galleries=()),
    GalleryStateChanged(is_writable=True, damaged_galleries=("default",)),
    GalleryStateChanged(is_writable=True, damaged_galleries=(), is_whole=False),
    GalleryStateChanged(is_writable=True, damaged_galleries=()),
    JournalReplaced("the journal is damaged: CorruptedError", is_kept=True),
    JournalFailed(StorageBusy, "another write held the journal for 1 s; nothing was written"),
    UnknownFailed(OSError, "no space left on device"),
    AttackModelFailed("the answer of the model of presentation attacks is not finite"),
    LoopLag(2.0),
    InternalError("0123456789abcdef", 'builtins.KeyError\n  File "a.py", line 1, in f\n'),
    LameDuck(2, 5.0),
    Draining(2, 10.0),
    DrainOverran(5.0),
    StopForced(("line_0",)),
    Stopped(),
    WorkerServes(4711, 3.2),
    WorkerDied(4711, -9, served=True, hung=False, replaced_in_s=0.5),
    WorkersGivenUp(5),
    WorkersReplaced(2, ""),
    WorkersReplaced(1, "the new worker ended with status 1"),
)
