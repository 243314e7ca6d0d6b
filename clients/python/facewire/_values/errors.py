"""The errors of the client.

FacewireError
  InvalidRequestError         the request must be changed before it is sent again
    InvalidPictureError         a picture cannot be used
      NoFaceError                 it shows no face, and one is needed
      SeveralFacesError           it shows several faces, and one is needed
  AuthenticationError         the server wants another token, or one with another role
  NotFoundError               no such gallery, identity or template
  AlreadyExistsError          a gallery or identity of this id exists
  ContractMismatchError       the gallery was made with another model
  LimitError                  a limit of the server was reached
  UnavailableError            a temporary condition: try again later
    UnreachableError            no server responds at the address, or the connection to it broke
    ReconnectError              the server ends the stream and asks for a new one
  DeadlineError               no response in time
  NotSupportedError           in the contract, not in this server
  ServerError                 a fault of the server

Mistakes that show before anything is sent are Python's own: TypeError for what is
not a picture, ValueError for an array of a wrong shape, OSError for a file.
"""

from typing import ClassVar

from facewire._values.enums import ErrorReason
from facewire._values.faults import ConnectionFault

__all__ = [
    "AlreadyExistsError",
    "AuthenticationError",
    "ContractMismatchError",
    "DeadlineError",
    "FacewireError",
    "InvalidPictureError",
    "InvalidRequestError",
    "LimitError",
    "NoFaceError",
    "NotFoundError",
    "NotSupportedError",
    "ReconnectError",
    "ServerError",
    "SeveralFacesError",
    "UnavailableError",
    "UnreachableError",
]


_PASSING_LIMITS = {
    ErrorReason.TOO_MANY_STREAMS,
    ErrorReason.SLOW_READER,
    ErrorReason.TOO_MANY_CALLS,
    ErrorReason.OUT_OF_MEMORY,
}
"""Limits of a server that are reached at one time and not at another."""


class FacewireError(Exception):
    """Base class of all server and connection errors.

    The text says what happened and what to do next.

    Attributes:
        detail: what happened.
        advice: what to do next, in terms of this library, or "".
        reason: what happened, for programs; UNSPECIFIED if the server sent none.
        field: the request's field at fault ("image", "images[3]"), or "".
        retryable: whether the same call may succeed later. That it is safe to repeat a write is not
            said: the first attempt of one whose connection broke may have been carried out.
        retry_after_s: wait this long before the next attempt, seconds; None if the server has not
            said how long.
    """

    _retryable: ClassVar[bool] = False
    """Of an error whose reason does not say it."""

    def __init__(
        self,
        detail: str,
        *,
        advice: str = "",
        reason: ErrorReason = ErrorReason.UNSPECIFIED,
        field: str = "",
        retryable: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{detail} {advice}".strip())
        self.detail = detail
        self.advice = advice
        self.reason = reason
        self.field = field
        self.retryable = (
            self._retryable or reason in _PASSING_LIMITS if retryable is None else retryable
        )
        self.retry_after_s = retry_after_s if self.retryable else None


class InvalidRequestError(FacewireError):
    """The request must be changed before it is sent again."""


class InvalidPictureError(InvalidRequestError):
    """A picture cannot be used."""


class NoFaceError(InvalidPictureError):
    """The picture shows no face, and one is needed."""


class SeveralFacesError(InvalidPictureError):
    """The picture shows several faces, and one is needed."""


class AuthenticationError(FacewireError):
    """The server wants a token, or another one: with another role, or for this gallery."""


class NotFoundError(FacewireError):
    """No such gallery, identity or template; `reason` says which."""


class AlreadyExistsError(FacewireError):
    """A gallery or identity of this id exists."""


class ContractMismatchError(FacewireError):
    """The gallery was made with another model: comparing would mean nothing."""


class LimitError(FacewireError):
    """A limit of the server was reached."""


class UnavailableError(FacewireError):
    """A temporary condition: the same request may succeed later."""

    _retryable = True


class UnreachableError(UnavailableError):
    """No server responds at the address, or the connection to it broke.

    Attributes:
        fault: what is wrong with the connection; `retryable` follows from it if it is not given.
    """

    def __init__(
        self,
        detail: str,
        *,
        advice: str = "",
        reason: ErrorReason = ErrorReason.UNSPECIFIED,
        field: str = "",
        fault: ConnectionFault = ConnectionFault.UNKNOWN,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(
            detail,
            advice=advice,
            reason=reason,
            field=field,
            retryable=fault.passes if retryable is None else retryable,
            retry_after_s=retry_after_s,
        )
        self.fault = fault


class ReconnectError(UnavailableError):
    """The server ends the stream and asks for a new one.

    Attributes:
        after_s: wait this long before opening it, seconds; also `retry_after_s`.
    """

    def __init__(
        self,
        detail: str,
        *,
        reason: ErrorReason = ErrorReason.UNSPECIFIED,
        after_s: float = 0.0,
    ) -> None:
        super().__init__(detail, reason=reason, retry_after_s=after_s)
        self.after_s = after_s


class DeadlineError(FacewireError):
    """No response in time: within the caller's limit, or the server's own for one picture."""

    _retryable = True


class NotSupportedError(FacewireError):
    """The contract has this, and this server does not."""


class ServerError(FacewireError):
    """A fault of the server; the text carries the id of its log entry."""
