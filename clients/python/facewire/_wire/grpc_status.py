"""Turns a gRPC status into a typed error.

The details of a status are in its trailing metadata, as a `google.rpc.Status`.
"""

from functools import cache
from typing import Any, NamedTuple

import grpc
from google.protobuf.message import DecodeError

from facewire._values import errors
from facewire._values.enums import ErrorReason
from facewire._wire.declared import BYTES, INTEGER, TEXT, declare
from facewire._wire.fault_texts import http_status
from facewire._wire.unreachable import unreachable_from_text

__all__ = ["error_from_rpc"]

_DETAILS_KEY = "grpc-status-details-bin"
"""gRPC's key of the details (https://grpc.io/docs/guides/error/#richer-error-model)."""

_DOMAIN = "facewire"
"""`ErrorInfo.domain` of a facewire server; reasons of other domains are not read."""

_BY_REASON: dict[ErrorReason, tuple[type[errors.FacewireError], str]] = {
    ErrorReason.FIELD_INVALID: (errors.InvalidRequestError, ""),
    ErrorReason.OUT_OF_ORDER: (errors.InvalidRequestError, ""),
    ErrorReason.IMAGE_EMPTY: (errors.InvalidPictureError, ""),
    ErrorReason.IMAGE_UNDECODABLE: (
        errors.InvalidPictureError,
        "Send a JPEG, PNG, WebP, BMP, GIF or AVIF file, or an array. Image.from_bytes converts HEIC.",
    ),
    ErrorReason.IMAGE_TOO_MANY_BYTES: (
        errors.InvalidPictureError,
        "Encode the picture as JPEG, or make it smaller.",
    ),
    ErrorReason.IMAGE_TOO_MANY_PIXELS: (errors.InvalidPictureError, "Make the picture smaller."),
    ErrorReason.IMAGE_LAYOUT: (errors.InvalidPictureError, ""),
    ErrorReason.NO_FACE: (
        errors.NoFaceError,
        "Small faces are found with a smaller DetectionOptions.min_face_px.",
    ),
    ErrorReason.SEVERAL_FACES: (
        errors.SeveralFacesError,
        "Crop the picture, or choose a face with `selection`.",
    ),
    ErrorReason.TOO_POOR: (errors.InvalidPictureError, "Take a better picture of the face."),
    ErrorReason.REQUEST_ID_REUSED: (errors.InvalidRequestError, "Choose a new request_id."),
    ErrorReason.TOKEN_REQUIRED: (
        errors.AuthenticationError,
        "Give the server's token: Client(..., token=...), or FACEWIRE_TOKEN for the command.",
    ),
    ErrorReason.ROLE_REQUIRED: (
        errors.AuthenticationError,
        "Ask the operator for a token with such a role, and for this gallery.",
    ),
    ErrorReason.GALLERY_NOT_FOUND: (
        errors.NotFoundError,
        "Make it with create_gallery, or name another.",
    ),
    ErrorReason.IDENTITY_NOT_FOUND: (errors.NotFoundError, ""),
    ErrorReason.TEMPLATE_NOT_FOUND: (errors.NotFoundError, ""),
    ErrorReason.NEGATIVE_EXAMPLE_NOT_FOUND: (errors.NotFoundError, ""),
    ErrorReason.TRACK_NOT_FOUND: (errors.NotFoundError, ""),
    ErrorReason.CROPS_NOT_KEPT: (
        errors.NotSupportedError,
        "Ask the operator to set FACEWIRE_KEEP_CROPS.",
    ),
    ErrorReason.UNKNOWN_PERSON_NOT_FOUND: (errors.NotFoundError, ""),
    ErrorReason.UNKNOWN_PEOPLE_NOT_KEPT: (
        errors.NotSupportedError,
        "Ask the operator to set FACEWIRE_KEEP_UNKNOWN_HOURS.",
    ),
    ErrorReason.CROP_KEY_MISSING: (
        errors.NotSupportedError,
        "Ask the operator to set FACEWIRE_ENROLLMENT_CROP_KEY_FILE, or to drop the kept crops.",
    ),
    ErrorReason.GALLERY_TOO_LARGE: (errors.NotSupportedError, ""),
    ErrorReason.STREAM_TAKEN_OVER: (
        errors.ServerError,
        "Another client resumed the stream: give each camera a token of its own.",
    ),
    ErrorReason.GALLERY_EXISTS: (errors.AlreadyExistsError, ""),
    ErrorReason.IDENTITY_EXISTS: (errors.AlreadyExistsError, ""),
    ErrorReason.CONTRACT_MISMATCH: (
        errors.ContractMismatchError,
        "Run the server with the model that the gallery was made with, or enroll again.",
    ),
    ErrorReason.GALLERY_FULL: (errors.LimitError, "Nothing was written; ask the operator."),
    ErrorReason.TOO_MANY_STREAMS: (errors.LimitError, "Try later, or another server."),
    ErrorReason.SLOW_READER: (errors.LimitError, "Read the results as they come."),
    ErrorReason.MODEL_UNAVAILABLE: (errors.UnavailableError, "Try again in a moment."),
    ErrorReason.WORKER_BUSY: (errors.UnavailableError, "Try again on a new connection."),
    ErrorReason.STORAGE_BUSY: (errors.UnavailableError, "Start again."),
    ErrorReason.GALLERY_DAMAGED: (
        errors.ServerError,
        "The server's storage is damaged: its operator must restore it.",
    ),
    ErrorReason.STORAGE_DAMAGED: (
        errors.ServerError,
        "The server's storage is damaged: its operator must restore it.",
    ),
    ErrorReason.REQUEST_TOO_LARGE: (errors.LimitError, "Send less in one request."),
    ErrorReason.TOO_MANY_CALLS: (errors.LimitError, "Try again when fewer calls are in progress."),
    ErrorReason.OUT_OF_MEMORY: (errors.LimitError, "Try again in a moment, or a smaller picture."),
    ErrorReason.SHUTTING_DOWN: (errors.UnavailableError, "Try again when the server is back."),
    ErrorReason.TIMED_OUT: (
        errors.DeadlineError,
        "Try again, with a smaller picture or a larger min_face_px.",
    ),
    ErrorReason.NOT_IMPLEMENTED: (errors.NotSupportedError, ""),
    ErrorReason.INTERNAL: (errors.ServerError, "Report it with the id above."),
}
"""The class of each reason, and what to do next."""

_BY_CODE: dict[grpc.StatusCode, tuple[type[errors.FacewireError], str]] = {
    grpc.StatusCode.INVALID_ARGUMENT: (errors.InvalidRequestError, ""),
    grpc.StatusCode.UNAUTHENTICATED: (errors.AuthenticationError, "Give the server's token."),
    grpc.StatusCode.PERMISSION_DENIED: (
        errors.AuthenticationError,
        "A proxy before the server does not allow it: a facewire server says which role is missing.",
    ),
    grpc.StatusCode.NOT_FOUND: (errors.NotFoundError, ""),
    grpc.StatusCode.ALREADY_EXISTS: (errors.AlreadyExistsError, ""),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (errors.LimitError, ""),
    grpc.StatusCode.DEADLINE_EXCEEDED: (errors.DeadlineError, "Allow more with timeout_s."),
    grpc.StatusCode.UNIMPLEMENTED: (
        errors.NotSupportedError,
        "Is it a facewire server, and new enough?",
    ),
}
"""Class and advice for statuses that carry no reason: gRPC's own, a proxy's, another server's."""

_OF_CONNECTIONS = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.CANCELLED,
}
"""Statuses that say without a reason that the connection was not made, or broke: a facewire server gives every fault a
reason. A killed server behind a proxy looks so (`INTERNAL`, "Received RST_STREAM with error code 2"), and a call that a proxy cancels."""

_OTHER: tuple[type[errors.FacewireError], str] = (errors.ServerError, "")
"""For every other status without a reason."""

_OWN_FAULTS = ("Exception serializing", "Exception deserializing", "Exception iterating")
"""How gRPC's texts about a message of this process begin: the connection has nothing to do with them."""


def error_from_rpc(error: Any, *, target: str) -> errors.FacewireError:
    """Returns the typed error of a failed call.

    Args:
        error: what the call raised, or anything with its `code()`, `details()` and
            `trailing_metadata()`.
        target: the server's address, for the text.
    """
    code = error.code() or grpc.StatusCode.UNKNOWN
    detail = error.details() or ""
    reason, field, retry_after_s = _read_details(error)
    if reason is ErrorReason.UNSPECIFIED and _is_oversized(code, detail):
        reason = ErrorReason.IMAGE_TOO_MANY_BYTES
        detail = "the request has more bytes than the server takes"
    if reason is not ErrorReason.UNSPECIFIED:
        kind, advice = _BY_REASON[reason]
    else:
        is_own_fault = detail.startswith(_OWN_FAULTS)
        if not is_own_fault and (code in _OF_CONNECTIONS or _is_of_http(code, detail)):
            return unreachable_from_text(detail or code.name, target=target)
        kind, advice = _OTHER if is_own_fault else _BY_CODE.get(code, _OTHER)
        detail = f"{target}: {detail or code.name}"
    return kind(
        detail.rstrip(".!") + ".",
        advice=advice,
        reason=reason,
        field=field,
        # Whoever says when to try again says that it is worth it.
        retryable=None if retry_after_s is None else True,
        retry_after_s=retry_after_s,
    )


class _Details(NamedTuple):
    """What the details of a status say; nothing if there are none, or they are damaged."""

    reason: ErrorReason = ErrorReason.UNSPECIFIED
    field: str = ""
    retry_after_s: float | None = None


def _read_details(error: Any) -> _Details:
    found = _Details()
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            try:
                for detail in _messages()["Status"].FromString(value).details:
                    found = _with_detail(found, detail)
            except DecodeError:
                return _Details()
    return found


def _with_detail(found: _Details, detail: Any) -> _Details:
    kind = detail.type_url.rpartition("/")[2].removeprefix("google.rpc.")
    if kind not in ("ErrorInfo", "BadRequest", "RetryInfo"):
        return found
    message = _messages()[kind].FromString(detail.value)
    match kind:
        case "ErrorInfo":
            if message.domain == _DOMAIN and message.reason in ErrorReason.__members__:
                return found._replace(reason=ErrorReason(message.reason))
        case "BadRequest":
            for violation in message.field_violations:
                return found._replace(field=found.field or violation.field)
        case "RetryInfo":
            for delay in message.retry_delay:
                return found._replace(retry_after_s=max(0.0, delay.seconds + delay.nanos / 1e9))
    return found


def _is_of_http(code: grpc.StatusCode, detail: str) -> bool:
    """Whether a web server or a proxy has responded that it knows no such page."""
    return code is grpc.StatusCode.UNIMPLEMENTED and http_status(detail) is not None


def _is_oversized(code: grpc.StatusCode, detail: str) -> bool:
    """Whether gRPC itself refused a message for its size, before the server saw it."""
    return code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in detail


@cache
def _messages() -> dict[str, Any]:
    """Returns the messages of a status's details, without the fields that are not read here.

    Source: google/rpc/status.proto, google/rpc/error_details.proto, google/protobuf/any.proto,
    google/protobuf/duration.proto.
    """
    return declare(
        {
            "Any": [("type_url", 1, TEXT), ("value", 2, BYTES)],
            "Status": [("details", 3, "Any")],
            "ErrorInfo": [("reason", 1, TEXT), ("domain", 2, TEXT)],
            "FieldViolation": [("field", 1, TEXT)],
            "BadRequest": [("field_violations", 1, "FieldViolation")],
            "Duration": [("seconds", 1, INTEGER), ("nanos", 2, INTEGER)],
            "RetryInfo": [("retry_delay", 1, "Duration")],
        }
    )
