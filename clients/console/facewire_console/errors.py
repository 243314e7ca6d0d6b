"""One table: an error of the client, or of the console itself, as an HTTP status and its JSON."""

import math
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

import facewire
from facewire import ErrorReason

__all__ = [
    "STATUS_OF_REASON",
    "Refused",
    "error_json",
    "error_response",
    "http_error",
    "refusal_status",
    "refused_response",
    "status_of",
]

JSON = dict[str, Any]

STATUS_OF_REASON: Final[dict[ErrorReason, int]] = {
    ErrorReason.UNSPECIFIED: 502,
    ErrorReason.FIELD_INVALID: 400,
    ErrorReason.OUT_OF_ORDER: 400,
    ErrorReason.REQUEST_ID_REUSED: 400,
    ErrorReason.ROLE_REQUIRED: 403,
    ErrorReason.GALLERY_NOT_FOUND: 404,
    ErrorReason.IDENTITY_NOT_FOUND: 404,
    ErrorReason.TEMPLATE_NOT_FOUND: 404,
    ErrorReason.NEGATIVE_EXAMPLE_NOT_FOUND: 404,
    ErrorReason.TRACK_NOT_FOUND: 404,
    ErrorReason.CROPS_NOT_KEPT: 404,
    ErrorReason.UNKNOWN_PEOPLE_NOT_KEPT: 404,
    ErrorReason.UNKNOWN_PERSON_NOT_FOUND: 404,
    ErrorReason.SEVERAL_FACES: 409,
    ErrorReason.IDENTITY_EXISTS: 409,
    ErrorReason.GALLERY_EXISTS: 409,
    ErrorReason.CONTRACT_MISMATCH: 409,
    ErrorReason.STREAM_TAKEN_OVER: 409,
    ErrorReason.CROP_KEY_MISSING: 409,
    ErrorReason.GALLERY_TOO_LARGE: 409,
    ErrorReason.IMAGE_TOO_MANY_BYTES: 413,
    ErrorReason.IMAGE_TOO_MANY_PIXELS: 413,
    ErrorReason.REQUEST_TOO_LARGE: 413,
    ErrorReason.NO_FACE: 422,
    ErrorReason.TOO_POOR: 422,
    ErrorReason.IMAGE_EMPTY: 422,
    ErrorReason.IMAGE_UNDECODABLE: 422,
    ErrorReason.IMAGE_LAYOUT: 422,
    ErrorReason.TOO_MANY_STREAMS: 429,
    ErrorReason.TOO_MANY_CALLS: 429,
    ErrorReason.OUT_OF_MEMORY: 429,
    ErrorReason.SLOW_READER: 429,
    ErrorReason.NOT_IMPLEMENTED: 501,
    ErrorReason.TOKEN_REQUIRED: 502,  # the console's own: the browser can do nothing about it
    ErrorReason.INTERNAL: 502,
    ErrorReason.GALLERY_DAMAGED: 502,
    ErrorReason.STORAGE_DAMAGED: 502,
    ErrorReason.MODEL_UNAVAILABLE: 503,
    ErrorReason.WORKER_BUSY: 503,
    ErrorReason.SHUTTING_DOWN: 503,
    ErrorReason.STORAGE_BUSY: 503,
    ErrorReason.TIMED_OUT: 504,
    ErrorReason.GALLERY_FULL: 507,
}
"""HTTP statuses (RFC 9110, RFC 4918): 4xx if the request must change, 5xx if the server must. A test wants a row for each reason."""

_STATUS_OF_CLASS: Final[tuple[tuple[type[facewire.FacewireError], int], ...]] = (
    (facewire.UnavailableError, 503),
    (facewire.DeadlineError, 504),
    (facewire.NotSupportedError, 501),
    (facewire.LimitError, 429),
    (facewire.NotFoundError, 404),
    (facewire.AlreadyExistsError, 409),
    (facewire.InvalidPictureError, 422),
    (facewire.InvalidRequestError, 400),
)
"""Statuses of errors without a reason: of a proxy, or of gRPC itself."""

_OF_HTTP: Final = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "BODY_TOO_LARGE"}
"""Reasons of the statuses that Starlette itself raises; of others BAD_REQUEST."""


class Refused(Exception):
    """The console itself refuses a request.

    Attributes:
        status: the HTTP status.
        error: the JSON below `error`.
        beside: JSON beside `error`.
        closes: the connection is of no further use: its body was not read.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        fields: tuple[str, ...] = (),
        retry_after_s: float | None = None,
        beside: JSON | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.error = _error(reason, message, fields, retry_after_s)
        self.beside = beside or {}
        self.closes = closes


def refusal_status(reason: ErrorReason) -> int:
    """Returns the status of a picture that was refused."""
    return STATUS_OF_REASON[reason]


def status_of(error: facewire.FacewireError) -> int:
    """Returns the HTTP status of an error of the client."""
    if error.reason is not ErrorReason.UNSPECIFIED:
        return STATUS_OF_REASON[error.reason]
    return next((status for kind, status in _STATUS_OF_CLASS if isinstance(error, kind)), 502)


def error_json(error: facewire.FacewireError | Refused) -> JSON:
    """Returns `{reason, message, fields, retry_after_s}`."""
    if isinstance(error, Refused):
        return error.error
    reason = error.reason.value
    if isinstance(error, facewire.UnreachableError):
        reason = "SERVER_UNREACHABLE"
    elif error.reason is ErrorReason.UNSPECIFIED:
        reason = "INTERNAL"
    fields = (error.field,) if error.field else ()
    return _error(reason, str(error), fields, error.retry_after_s)


async def error_response(_: Request, error: Exception) -> JSONResponse:
    """Starlette's handler of `FacewireError` and `Refused`."""
    assert isinstance(error, facewire.FacewireError | Refused)
    if isinstance(error, Refused):
        return refused_response(error)
    return _response(status_of(error), error_json(error))


def refused_response(refused: Refused) -> JSONResponse:
    """Returns the response of a refusal."""
    response = _response(refused.status, refused.error, refused.beside)
    if refused.closes:
        response.headers["Connection"] = "close"
    return response


async def http_error(_: Request, error: Exception) -> JSONResponse:
    """Starlette's handler of its own `HTTPException`: no such page, another method, a form that cannot be read."""
    assert isinstance(error, HTTPException)
    reason = _OF_HTTP.get(error.status_code, "BAD_REQUEST")
    response = _response(error.status_code, _error(reason, str(error.detail), (), None))
    response.headers.update(error.headers or {})
    return response


def _error(reason: str, message: str, fields: tuple[str, ...], retry_after_s: float | None) -> JSON:
    return {
        "reason": reason,
        "message": message,
        "fields": list(fields),
        "retry_after_s": retry_after_s,
    }


def _response(status: int, error: JSON, beside: JSON | None = None) -> JSONResponse:
    response = JSONResponse({"error": error, **(beside or {})}, status)
    retry_after_s = error["retry_after_s"]
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(math.ceil(retry_after_s))
    return response
