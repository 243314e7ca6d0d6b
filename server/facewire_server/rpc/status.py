"""Converts errors of the domain to gRPC statuses: one table, and the interceptor that applies it."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc import StatusCode, aio
from grpc_status import rpc_status

from facewire.v1 import face_pb2
from facewire_server import errors
from facewire_server.errors import InvalidInput, RoleRequired, ServerError
from facewire_server.events import Emit, InternalError, ignore
from facewire_server.rpc.audit import WrittenNote
from facewire_server.rpc.handlers import Behavior, wrapped
from facewire_server.stacks import stack_without_messages

__all__ = ["DOMAIN", "STATUSES", "StatusInterceptor", "reason_name", "reason_of", "shortened"]

DOMAIN = "facewire"
"""`google.rpc.ErrorInfo.domain` of every error."""

_MAX_TEXT_BYTES = 512
"""Most bytes of an error's text. It travels three times (status, details, field violation),
percent-encoded or as base64; above 4 KiB in all, proxies and peers drop the whole status."""

_NONE: Final[Mapping[str, str]] = MappingProxyType({})

STATUSES: dict[type[ServerError], tuple[StatusCode, face_pb2.ErrorReason]] = {
    errors.InvalidField: (StatusCode.INVALID_ARGUMENT, face_pb2.ERROR_REASON_FIELD_INVALID),
    errors.OutOfOrder: (StatusCode.INVALID_ARGUMENT, face_pb2.ERROR_REASON_OUT_OF_ORDER),
    errors.EmptyImage: (StatusCode.INVALID_ARGUMENT, face_pb2.ERROR_REASON_IMAGE_EMPTY),
    errors.UndecodableImage: (
        StatusCode.INVALID_ARGUMENT,
        face_pb2.ERROR_REASON_IMAGE_UNDECODABLE,
    ),
    errors.TooManyBytes: (
        StatusCode.INVALID_ARGUMENT,
        face_pb2.ERROR_REASON_IMAGE_TOO_MANY_BYTES,
    ),
    errors.TooManyPixels: (
        StatusCode.INVALID_ARGUMENT,
        face_pb2.ERROR_REASON_IMAGE_TOO_MANY_PIXELS,
    ),
    errors.ImageLayout: (StatusCode.INVALID_ARGUMENT, face_pb2.ERROR_REASON_IMAGE_LAYOUT),
    errors.NoFace: (StatusCode.INVALID_ARGUMENT, face_pb2.ERROR_REASON_NO_FACE),
    errors.SeveralFaces: (StatusCode.INVALID_ARGUMENT, face_pb2.ERROR_REASON_SEVERAL_FACES),
    errors.TooPoor: (StatusCode.INVALID_ARGUMENT, face_pb2.ERROR_REASON_TOO_POOR),
    errors.RequestIdReused: (
        StatusCode.INVALID_ARGUMENT,
        face_pb2.ERROR_REASON_REQUEST_ID_REUSED,
    ),
    errors.TokenRequired: (StatusCode.UNAUTHENTICATED, face_pb2.ERROR_REASON_TOKEN_REQUIRED),
    errors.RoleRequired: (StatusCode.PERMISSION_DENIED, face_pb2.ERROR_REASON_ROLE_REQUIRED),
    errors.GalleryNotFound: (StatusCode.NOT_FOUND, face_pb2.ERROR_REASON_GALLERY_NOT_FOUND),
    errors.IdentityNotFound: (StatusCode.NOT_FOUND, face_pb2.ERROR_REASON_IDENTITY_NOT_FOUND),
    errors.TemplateNotFound: (StatusCode.NOT_FOUND, face_pb2.ERROR_REASON_TEMPLATE_NOT_FOUND),
    errors.NegativeExampleNotFound: (
        StatusCode.NOT_FOUND,
        face_pb2.ERROR_REASON_NEGATIVE_EXAMPLE_NOT_FOUND,
    ),
    errors.TrackNotFound: (StatusCode.NOT_FOUND, face_pb2.ERROR_REASON_TRACK_NOT_FOUND),
    errors.GalleryExists: (StatusCode.ALREADY_EXISTS, face_pb2.ERROR_REASON_GALLERY_EXISTS),
    errors.IdentityExists: (StatusCode.ALREADY_EXISTS, face_pb2.ERROR_REASON_IDENTITY_EXISTS),
    errors.ModelContractMismatch: (
        StatusCode.FAILED_PRECONDITION,
        face_pb2.ERROR_REASON_CONTRACT_MISMATCH,
    ),
    errors.CropKeyMissing: (
        StatusCode.FAILED_PRECONDITION,
        face_pb2.ERROR_REASON_CROP_KEY_MISSING,
    ),
    errors.GalleryTooLarge: (
        StatusCode.FAILED_PRECONDITION,
        face_pb2.ERROR_REASON_GALLERY_TOO_LARGE,
    ),
    errors.CropsNotKept: (
        StatusCode.FAILED_PRECONDITION,
        face_pb2.ERROR_REASON_CROPS_NOT_KEPT,
    ),
    errors.UnknownPeopleNotKept: (
        StatusCode.FAILED_PRECONDITION,
        face_pb2.ERROR_REASON_UNKNOWN_PEOPLE_NOT_KEPT,
    ),
    errors.UnknownPersonNotFound: (
        StatusCode.NOT_FOUND,
        face_pb2.ERROR_REASON_UNKNOWN_PERSON_NOT_FOUND,
    ),
    errors.StreamTakenOver: (StatusCode.ABORTED, face_pb2.ERROR_REASON_STREAM_TAKEN_OVER),
    errors.GalleryFull: (StatusCode.RESOURCE_EXHAUSTED, face_pb2.ERROR_REASON_GALLERY_FULL),
    errors.TooManyStreams: (
        StatusCode.RESOURCE_EXHAUSTED,
        face_pb2.ERROR_REASON_TOO_MANY_STREAMS,
    ),
    errors.SlowReader: (StatusCode.RESOURCE_EXHAUSTED, face_pb2.ERROR_REASON_SLOW_READER),
    errors.RequestTooLarge: (
        StatusCode.RESOURCE_EXHAUSTED,
        face_pb2.ERROR_REASON_REQUEST_TOO_LARGE,
    ),
    errors.TooManyCalls: (StatusCode.RESOURCE_EXHAUSTED, face_pb2.ERROR_REASON_TOO_MANY_CALLS),
    errors.OutOfMemory: (StatusCode.RESOURCE_EXHAUSTED, face_pb2.ERROR_REASON_OUT_OF_MEMORY),
    errors.GalleryDamaged: (StatusCode.DATA_LOSS, face_pb2.ERROR_REASON_GALLERY_DAMAGED),
    errors.StorageDamaged: (StatusCode.DATA_LOSS, face_pb2.ERROR_REASON_STORAGE_DAMAGED),
    errors.ModelUnavailable: (StatusCode.UNAVAILABLE, face_pb2.ERROR_REASON_MODEL_UNAVAILABLE),
    errors.StorageBusy: (StatusCode.UNAVAILABLE, face_pb2.ERROR_REASON_STORAGE_BUSY),
    errors.ShuttingDown: (StatusCode.UNAVAILABLE, face_pb2.ERROR_REASON_SHUTTING_DOWN),
    errors.WorkerBusy: (StatusCode.UNAVAILABLE, face_pb2.ERROR_REASON_WORKER_BUSY),
    errors.TimedOut: (StatusCode.DEADLINE_EXCEEDED, face_pb2.ERROR_REASON_TIMED_OUT),
    errors.NotImplementedYet: (StatusCode.UNIMPLEMENTED, face_pb2.ERROR_REASON_NOT_IMPLEMENTED),
}
"""Status and reason of each error. Errors that are not here are INTERNAL."""

RETRY_AFTER_S: dict[type[ServerError], float] = {
    errors.WorkerBusy: 0.0,
    errors.TooManyCalls: 0.25,
    errors.OutOfMemory: 1.0,
    errors.StorageBusy: 1.0,
    errors.ModelUnavailable: 1.0,
    errors.ShuttingDown: 1.0,
    errors.TooManyStreams: 5.0,
}
"""Seconds after which a client may repeat the call (`google.rpc.RetryInfo`): it was refused before it did anything.
Chosen, not measured: a call is over within a fraction of a second; a server is back, or a model found
again, within a few; a stream gives its place up after ten seconds without a frame. After WorkerBusy a client needs no pause, but a new
connection."""


def reason_of(error: ServerError) -> face_pb2.ErrorReason:
    """Returns the contract's reason for an error."""
    return _reason_of(type(error))


def reason_name(error: type[BaseException]) -> str:
    """Returns the contract's reason for an error of this class, as `ErrorInfo.reason` has it."""
    return _name(_reason_of(error))


def _reason_of(error: type[BaseException]) -> face_pb2.ErrorReason:
    named = _status_of(error)
    return face_pb2.ERROR_REASON_INTERNAL if named is None else named[1]


def _status_of(error: type[BaseException]) -> tuple[StatusCode, face_pb2.ErrorReason] | None:
    return next((STATUSES[kind] for kind in error.__mro__ if kind in STATUSES), None)


def _name(reason: face_pb2.ErrorReason) -> str:
    return face_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")


def shortened(text: str, max_bytes: int) -> str:
    """Returns the text cut to at most `max_bytes` bytes of UTF-8, never within a character."""
    data = text.encode()
    return text if len(data) <= max_bytes else data[:max_bytes].decode(errors="ignore")


class StatusInterceptor(aio.ServerInterceptor):
    """Ends a call whose handler raised an error with the status that the table names.

    * A `ServerError`: its status, with `ErrorInfo` and, if it names a field, `BadRequest`.
    * Bytes that are not a message: INVALID_ARGUMENT.
    * Cancellation, an expired deadline, a vanished peer: left to gRPC.
    * Anything else: INTERNAL, a fixed text and the id of the log entry. Nothing of the error
      itself leaves the server, and its message is not logged either: it may quote its
      input (`KeyError: 'a name'`). Types and stack are logged.
    """

    def __init__(self, emit: Emit = ignore) -> None:
        """Emits `InternalError`."""
        self._emit = emit

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the method's handler."""
        return wrapped(await continuation(handler_call_details), partial(_guarded, emit=self._emit))


def _guarded(behavior: Behavior, emit: Emit) -> Behavior:
    async def guarded(request: Any, context: Any) -> Any:
        try:
            return await behavior(request, context)
        except aio.BaseError:  # of gRPC itself: aborted already, or the peer is gone
            raise
        except DecodeError:
            status = _status(
                errors.InvalidField("the request is not a message of this method"), emit
            )
        except ServerError as error:
            status = _status(error, emit)
        except Exception as error:  # noqa: BLE001 - the last place that can keep its text from the client
            status = _internal(error, emit)
        trailers = rpc_status.to_status(status)
        return await context.abort(trailers.code, trailers.details, trailers.trailing_metadata)

    return guarded


def _status(error: ServerError, emit: Emit) -> status_pb2.Status:
    named = _status_of(type(error))
    if named is None:
        return _internal(error, emit)
    code, reason = named
    text = shortened(_with_notes(str(error), error), _MAX_TEXT_BYTES)
    metadata = {"roles": ",".join(error.roles)} if isinstance(error, RoleRequired) else {}
    status = _details(code, reason, text, metadata)
    if type(error) in RETRY_AFTER_S:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(round(1000 * RETRY_AFTER_S[type(error)]))
        status.details.add().Pack(retry)
    if isinstance(error, InvalidInput) and error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=text)
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    return status


def _internal(error: Exception, emit: Emit) -> status_pb2.Status:
    log_id = secrets.token_hex(8)
    emit(InternalError(log_id, stack_without_messages(error)))
    return _details(
        StatusCode.INTERNAL,
        face_pb2.ERROR_REASON_INTERNAL,
        _with_notes(f"internal error; the server's log has it as {log_id}", error),
    )


def _with_notes(text: str, error: Exception) -> str:
    notes = [note for note in getattr(error, "__notes__", ()) if isinstance(note, WrittenNote)]
    if notes:
        # Of the part that failed, and not of the call.
        text = text.removesuffix("; nothing was written")
    return "; ".join([text, *notes])


def _details(
    code: StatusCode, reason: face_pb2.ErrorReason, text: str, metadata: Mapping[str, str] = _NONE
) -> status_pb2.Status:
    status = status_pb2.Status(code=code_pb2.Code.Value(code.name), message=text)
    info = error_details_pb2.ErrorInfo(reason=_name(reason), domain=DOMAIN, metadata=metadata)
    status.details.add().Pack(info)
    return status
