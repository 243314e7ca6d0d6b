"""CompreFace's errors: a number that its clients look at, a status of HTTP and a message."""

from enum import Enum
from typing import Final

from starlette.responses import JSONResponse, Response

from facewire import (
    AlreadyExistsError,
    ErrorReason,
    FacewireError,
    InvalidPictureError,
    InvalidRequestError,
    NoFaceError,
    NotFoundError,
    SeveralFacesError,
)
from facewire_console.errors import Refused

__all__ = ["FAILURES", "Code", "DoorError", "door_error", "error_response", "of_refusal"]


class Code(Enum):
    """An error's number and its status of HTTP, as CompreFace pairs them."""

    OTHER = (0, 404)
    """No such path, or another method."""
    UNKNOWN_KEY = (10, 404)
    """No such service: a key that the door does not know, or whose gallery does not exist."""
    IMAGE_NOT_FOUND = (11, 404)
    PREDICTION_COUNT = (12, 400)
    NO_KEY = (20, 400)
    """The header x-api-key is missing."""
    PICTURE_FORMAT = (21, 400)
    """The picture's file cannot be read."""
    INVALID = (26, 400)
    """A value, or a picture, that cannot be taken."""
    NO_FACE = (28, 400)
    """Double Take takes this one for "no one is there", and any other for a fault."""
    SEVERAL_FACES = (31, 400)
    NOT_ALLOWED = (32, 405)
    """CompreFace's "writing is not allowed"."""
    MISSING = (33, 400)
    """A parameter or a part is missing."""
    SERVICE = (41, 500)
    """The facewire server cannot do it, now or at all."""
    SUBJECT_NOT_FOUND = (42, 404)
    SUBJECT_EXISTS = (43, 400)

    def __init__(self, number: int, status: int) -> None:
        self.number = number
        self.status = status


class DoorError(Exception):
    """A request that ends with an error of CompreFace.

    Attributes:
        code: its number and status.
        message: for people; it names no person.
        closes: the connection is of no further use: its body was not read.
    """

    def __init__(self, code: Code, message: str, *, closes: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.closes = closes


FAILURES: Final = (DoorError, FacewireError, Refused)
"""What work may end with, and clients get as an error of CompreFace."""

_PAYLOAD_TOO_LARGE: Final = 413
"""HTTP status (RFC 9110)."""

_NO_FACE = "No face is found in the given image"
_SEVERAL_FACES = "Found more than one face"

_TOO_LARGE = {ErrorReason.IMAGE_TOO_MANY_BYTES, ErrorReason.IMAGE_TOO_MANY_PIXELS}

_NOT_FOUND = {
    ErrorReason.GALLERY_NOT_FOUND: Code.UNKNOWN_KEY,
    ErrorReason.TEMPLATE_NOT_FOUND: Code.IMAGE_NOT_FOUND,
    ErrorReason.IDENTITY_NOT_FOUND: Code.SUBJECT_NOT_FOUND,
}


def of_refusal(refusal: ErrorReason, detail: str) -> DoorError:
    """Returns the error of a picture that the server refuses, from its reason and its words."""
    if refusal is ErrorReason.NO_FACE:
        return DoorError(Code.NO_FACE, _NO_FACE)
    if refusal is ErrorReason.SEVERAL_FACES:
        return DoorError(Code.SEVERAL_FACES, _SEVERAL_FACES)
    if refusal is ErrorReason.TOO_POOR or refusal in _TOO_LARGE:
        return DoorError(Code.INVALID, detail)
    return DoorError(Code.PICTURE_FORMAT, detail)


def door_error(error: Exception) -> DoorError:
    """Returns the error of a request that ended with one of `FAILURES`."""
    if isinstance(error, DoorError):
        return error
    if isinstance(error, Refused):  # by a guard of the console, while the body was read
        code = Code.INVALID if error.status == _PAYLOAD_TOO_LARGE else Code.SERVICE
        return DoorError(code, str(error.error["message"]), closes=error.closes)
    assert isinstance(error, FacewireError)
    return _from_facewire(error)


def _from_facewire(error: FacewireError) -> DoorError:
    """Returns the error of a call of the facewire server that failed."""
    if isinstance(error, NoFaceError):
        return DoorError(Code.NO_FACE, _NO_FACE)
    if isinstance(error, SeveralFacesError):
        return DoorError(Code.SEVERAL_FACES, _SEVERAL_FACES)
    if isinstance(error, InvalidPictureError):
        return of_refusal(error.reason, error.detail)
    if isinstance(error, AlreadyExistsError):
        return DoorError(Code.SUBJECT_EXISTS, "Subject already exists")
    if isinstance(error, NotFoundError):
        return DoorError(_NOT_FOUND.get(error.reason, Code.SERVICE), error.detail)
    if isinstance(error, InvalidRequestError):
        return DoorError(Code.INVALID, error.detail)
    return DoorError(Code.SERVICE, f"facewire: {error.reason.value}: {error.detail}")


def error_response(error: DoorError) -> Response:
    """Returns an error as CompreFace sends it."""
    headers = {"Connection": "close"} if error.closes else None
    body = {"message": error.message, "code": error.code.number}
    return JSONResponse(body, error.code.status, headers)
