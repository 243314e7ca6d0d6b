"""Events for operators: start and stop of a server, its callers, its models, changes of its galleries.

Import them from `events`, which joins them to the others and says what holds for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "AttackModelFailed",
    "AuditFailed",
    "CallRefused",
    "ConnectionsClosed",
    "CredentialsReloaded",
    "DeletedErased",
    "DrainOverran",
    "Draining",
    "ErasureFailed",
    "FileExposed",
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
    "RoleRefused",
    "ServerStarted",
    "StopForced",
    "Stopped",
    "TlsFailed",
    "TokenRefused",
    "UnknownFailed",
    "WorkerDied",
    "WorkerServes",
    "WorkersGivenUp",
    "WorkersReplaced",
]


@dataclass(frozen=True, slots=True)
class ServerStarted:
    """The server is built and does not listen yet.

    Attributes:
        version: of this server.
        data: of the data folder: "folder", its absolute path without links; "is_new", whether the galleries were
            made by this start; "people", how many identities all galleries have.
        model_contract: its name or file, as set.
        model_contract_id: 64 hexadecimal digits.
        engines: by servable, what runs it and at which address.
        processors: that the work is spread over.
        processors_reason: what limits them, in words.
        threshold: lowest similarity of a match, and who chose it, in words.
        limits: what a client may ask for, by name; each has its unit in its name.
        settings: every setting in force, by variable. Secrets are files, of which this is the path.
        changed_settings: variables of those that are not at their default.
    """

    version: str
    data: Mapping[str, str | bool | int]
    model_contract: str
    model_contract_id: str
    engines: Mapping[str, str]
    processors: int
    processors_reason: str
    threshold: str
    limits: Mapping[str, float]
    settings: Mapping[str, str]
    changed_settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listening:
    """The server takes calls.

    Attributes:
        address: "host:port", as clients on this machine would call it.
        has_tls: connections are encrypted.
        has_token: callers must show a token.
    """

    address: str
    has_tls: bool
    has_token: bool


@dataclass(frozen=True, slots=True)
class FileExposed:
    """Every user of this machine has rights to a file or folder that holds a secret or biometric data.

    Attributes:
        path: as it was set.
        mode: its permissions, octal.
    """

    path: str
    mode: str


@dataclass(frozen=True, slots=True)
class MetricsListening:
    """The server answers scrapes of its metrics.

    Attributes:
        address: "host:port", as it was set; with the port that was taken for 0.
    """

    address: str


@dataclass(frozen=True, slots=True)
class JournalReplaced:
    """The journal of track events cannot be used: its events and resume tokens are lost, and recognition goes on.

    Attributes:
        reason: why not.
        is_kept: another one was begun in its folder, and it was put aside there; else this process keeps events in its memory.
    """

    reason: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class JournalFailed:
    """The journal's storage failed a call: what the call should have kept is lost, and recognition goes on.

    Attributes:
        error: class of the error.
        detail: its text.
    """

    error: type[Exception]
    detail: str


@dataclass(frozen=True, slots=True)
class AttackModelFailed:
    """The experimental model of presentation attacks failed: faces have no hint, and recognition goes on.

    Attributes:
        detail: the text of the error.
    """

    detail: str


@dataclass(frozen=True, slots=True)
class UnknownFailed:
    """An unknown visit could not be kept, or unknown people could not be listed or erased; recognition goes on.

    Attributes:
        error: class of the error.
        detail: its text.
    """

    error: type[Exception]
    detail: str


@dataclass(frozen=True, slots=True)
class LameDuck:
    """The server was asked to stop: its health is NOT_SERVING, and it serves on until proxies have noticed.

    Attributes:
        stream_count: open streams.
        lame_duck_s: seconds until it drains.
    """

    stream_count: int
    lame_duck_s: float


@dataclass(frozen=True, slots=True)
class Draining:
    """The server stops: it refuses new calls and ends those in progress.

    Attributes:
        stream_count: open streams.
        grace_s: seconds that they have before they are cancelled.
    """

    stream_count: int
    grace_s: float


@dataclass(frozen=True, slots=True)
class DrainOverran:
    """A call did not end in time after it was cancelled; the server stops without waiting for it.

    Attributes:
        timeout_s: seconds that the server waited after the cancellation.
    """

    timeout_s: float


@dataclass(frozen=True, slots=True)
class StopForced:
    """The server ends without waiting any longer for threads that do not end. Emitted in another thread.

    Attributes:
        threads: names of all that have not ended; those that merely wait for work are among them.
    """

    threads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server has stopped and has closed everything."""


@dataclass(frozen=True, slots=True)
class WorkerServes:
    """A worker takes calls.

    Attributes:
        pid: its process id.
        took_s: seconds from its start.
    """

    pid: int
    took_s: float


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """A worker ended that was not asked to; another one takes its place.

    Attributes:
        pid: its process id.
        status: its exit status; of a signal, its negative number.
        served: it took calls before.
        hung: its event loop hung, and the parent ended it.
        replaced_in_s: seconds until another one is started.
    """

    pid: int
    status: int
    served: bool
    hung: bool
    replaced_in_s: float


@dataclass(frozen=True, slots=True)
class WorkersGivenUp:
    """Workers died again and again, before they took calls or soon after: the server stops.

    Attributes:
        death_count: how many in a row.
    """

    death_count: int


@dataclass(frozen=True, slots=True)
class WorkersReplaced:
    """SIGUSR2 came: the workers were replaced, one after the other.

    Attributes:
        replaced_count: how many were.
        error: why the others were not; "" = all were.
    """

    replaced_count: int
    error: str


@dataclass(frozen=True, slots=True)
class CredentialsReloaded:
    """SIGHUP came, or the file of tokens changed, and the files of tokens and certificates were read again.

    Attributes:
        error: which file cannot be used and why, in which case nothing was replaced; "" = the new
            files are in force.
    """

    error: str


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """A call was refused because it had no token, or not a valid one.

    Attributes:
        peer: address of the caller, as gRPC writes it.
    """

    peer: str


@dataclass(frozen=True, slots=True)
class RoleRefused:
    """A call was refused because its caller has not the role, or is not for this gallery.

    Attributes:
        method: of the call, such as "/facewire.v1.GalleryService/ExportGallery".
        peer: address of the caller, as gRPC writes it.
        caller: label of their token, or subject of their certificate.
        roles: with which the call is allowed.
    """

    method: str
    peer: str
    caller: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallRefused:
    """A call was refused before its handler began: too many calls, or a request too late or too large.

    Attributes:
        method: of the call, such as "/facewire.v1.RecognitionService/Recognize".
        peer: address of the caller, as gRPC writes it.
        error: the class of the refusal.
    """

    method: str
    peer: str
    error: type[Exception]


@dataclass(frozen=True, slots=True)
class ConnectionsClosed:
    """Connections without a call were closed, since nearly as many were open as are allowed.

    Attributes:
        closed_count: how many.
        open_count: how many were open, these included.
    """

    closed_count: int
    open_count: int


@dataclass(frozen=True, slots=True)
class TlsFailed:
    """A client and the server did not agree on TLS; gRPC does not say who the client is.

    Attributes:
        reason: BoringSSL's name of it, such as "HTTP_REQUEST" for a client without TLS.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class ModelStateChanged:
    """A model that is served elsewhere became usable or not, or its versions changed.

    Attributes:
        model: name of the servable.
        is_ready: it answers, and a version that answers is proven.
        versions: that are proven now; none if it is not ready.
        reason: why it is not ready, or why a version of it is refused; "" = neither.
    """

    model: str
    is_ready: bool
    versions: tuple[int, ...]
    reason: str


GalleryAction: TypeAlias = Literal[
    "create_gallery",
    "delete_gallery",
    "create_identity",
    "update_identity",
    "delete_identity",
    "enroll",
    "enroll_unknown",
    "delete_template",
    "merge_identities",
    "split_identity",
    "add_negative_example",
    "delete_negative_example",
    "import",
]


@dataclass(frozen=True, slots=True)
class GalleryChanged:
    """A write to a gallery was committed, whether or not its caller still waits for the response.

    Attributes:
        action: what was done.
        gallery_id: to which gallery.
        peer: address of the caller, as gRPC writes it.
        identity_count: identities that were added, changed or deleted; of an enrollment, 1.
        template_count: templates that were added, moved or deleted.
        revision: of the gallery after the write. An enrollment that is repeated under its
            request id writes nothing, and has the revision of the first time.
        is_complete: False for an import of which only a part was committed; True for every other action.
        poor_count: templates of an import, those it skipped included, that an enrollment would have refused, as far as
            the export states what they are.
        negative_example_count: negative examples that were added or, by themselves, deleted.
    """

    action: GalleryAction
    gallery_id: str
    peer: str
    identity_count: int
    template_count: int
    revision: int
    is_complete: bool = True
    poor_count: int = 0
    negative_example_count: int = 0


@dataclass(frozen=True, slots=True)
class GalleryStateChanged:
    """The storage of the galleries became usable or not.

    Attributes:
        is_writable: writes begin in their time, on a disk that is not read-only; if not, they are refused, and reads and searches go on.
        damaged_galleries: ids of the galleries in which something was found that cannot be. They are not searched.
        is_whole: the file of all galleries is as long as it was; if not, nothing in it is read or written any more.
    """

    is_writable: bool
    damaged_galleries: tuple[str, ...]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class DeletedErased:
    """The gallery's file was rewritten without what had been deleted.

    Attributes:
        deletion_count: deletions that were pending; in time, of galleries that exist, and by request of all.
        seconds: that it took.
    """

    deletion_count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ErasureFailed:
    """The gallery's file could not be rewritten, so that what was deleted stays in it; it is tried again.

    Attributes:
        error: why.
    """

    error: str


@dataclass(frozen=True, slots=True)
class GalleryExported:
    """Embeddings of a gallery left the server.

    Attributes:
        gallery_id, peer: which gallery, and to whom.
        identity_count, template_count, negative_example_count: that were sent.
        revision: of the gallery that was read.
        is_complete: the whole export was sent.
    """

    gallery_id: str
    peer: str
    identity_count: int
    template_count: int
    negative_example_count: int
    revision: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class AuditFailed:
    """A line of the audit log could not be kept: a change was made without it, or an export was refused.

    Attributes:
        error: class of the error.
        detail: its text.
    """

    error: type[Exception]
    detail: str


@dataclass(frozen=True, slots=True)
class LoopLag:
    """The lag of the event loop was measured. Emitted twice a second, however small the lag is.

    Attributes:
        lag_s: seconds by which a task was woken too late.
    """

    lag_s: float


@dataclass(frozen=True, slots=True)
class InternalError:
    """A fault of the server itself.

    Attributes:
        log_id: the id that the client received with the error; "" if no client waits.
        stack: types and stack of the error and its causes, without their messages, which may
            quote a name.
    """

    log_id: str
    stack: str
