"""Says why FFmpeg cannot open or read a source, and what to do about it."""

import errno
import socket
from pathlib import Path
from urllib.parse import urlsplit

import av

from facewire.video._address import is_address, redacted
from facewire.video._source import SourceError

__all__ = ["no_decoder", "no_pictures", "source_error", "too_late"]

_TOO_LATE = "nothing came within the time allowed. Is it on?"

_DENIED: list[tuple[type[Exception], str]] = [
    (
        av.error.HTTPUnauthorizedError,
        "it asks for a user and a password, or refuses these (401). Write them into the address: "
        "SCHEME://USER:PASSWORD@HOST/PATH.",
    ),
    (av.error.HTTPForbiddenError, "it forbids this user to see it (403). Use another user."),
]
"""Errors of addresses that refuse the user."""

_OF_ADDRESSES: list[tuple[type[Exception], str, bool]] = [
    (
        av.error.HTTPNotFoundError,
        "there is nothing under this path (404). Look for the path in the camera's manual.",
        True,
    ),
    (av.error.HTTPClientError, "it refuses the request (4xx). Is the path right?", False),
    (av.error.HTTPServerError, "it failed to serve the request (5xx).", True),
    (
        av.error.ConnectionRefusedError,
        "nothing listens there: the connection was refused. Is it on, and is the port right?",
        True,
    ),
    (av.error.ConnectionResetError, "the connection was broken off.", True),
    (av.error.BrokenPipeError, "the connection was broken off.", True),
    (av.error.EOFError, "the connection was ended.", True),
    (av.error.ExitError, _TOO_LATE, True),
    (av.error.TimeoutError, _TOO_LATE, True),
    (
        av.error.ProtocolNotFoundError,
        "the scheme is not known. rtsp://, http:// and https:// are.",
        False,
    ),
    (
        av.error.InvalidDataError,
        "what it sends is neither a film nor a stream of pictures that can be read.",
        False,
    ),
]
"""Other errors of addresses, the first that fits: what is wrong, and whether it may pass by itself. A path may be served
later: servers of many cameras answer 404 while one of these is off."""


_NO_RTSP = "nothing came that is RTSP. Is it on, and is the port right?"
"""A camera behind a tunnel or a port that is passed on: while it is off, connections are taken and ended."""


def source_error(source: str, error: Exception) -> SourceError:
    """Returns the error of a source whose opening or reading raised `error`, as the system or FFmpeg states it."""
    shown = redacted(source)
    if not is_address(source):
        return SourceError(f"{shown}: {_of_file(source, error)}")
    for kind, text in _DENIED:
        if isinstance(error, kind):
            return SourceError(f"{shown}: {text}", denied=True)
    if isinstance(error, av.error.InvalidDataError) and source.startswith("rtsp"):
        return SourceError(f"{shown}: {_NO_RTSP}", temporary=True)
    for kind, text, temporary in _OF_ADDRESSES:
        if isinstance(error, kind):
            return SourceError(f"{shown}: {text}", temporary=temporary)
    if isinstance(error, OSError) and error.errno == errno.EIO:
        # FFmpeg's one error for all that goes wrong when a host is looked up, and for a stream that breaks off.
        return _unknown_host(source) or SourceError(
            f"{shown}: the connection was ended.", temporary=True
        )
    reason = getattr(error, "strerror", None) or "it cannot be read"
    return SourceError(f"{shown}: {reason}.", temporary=True)


def too_late(source: str) -> SourceError:
    """Returns the error of an address under which nothing came in time."""
    return SourceError(f"{redacted(source)}: {_TOO_LATE}", temporary=True)


def no_pictures(source: str) -> SourceError:
    """Returns the error of a source with sound only, or with nothing."""
    return SourceError(f"{redacted(source)}: there are no moving pictures in it.")


def no_decoder(source: str) -> SourceError:
    """Returns the error of a source whose pictures this FFmpeg cannot decode."""
    return SourceError(
        f"{redacted(source)}: this FFmpeg has no decoder for its pictures. "
        "Convert it to H.264, or let the camera send that."
    )


def _of_file(path: str, error: Exception) -> str:
    if isinstance(error, av.error.InvalidDataError):
        if _begins_as_mp4(path):
            return (
                "it is an MP4 film without its index, which is written last: it is cut short, or "
                "its recording did not end."
            )
        return "it is not a film that can be read, or is damaged at its beginning."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return f"it cannot be read ({getattr(error, 'strerror', None) or type(error).__name__})."


def _begins_as_mp4(path: str) -> bool:
    try:
        with Path(path.removeprefix("file://")).open("rb") as file:
            return file.read(8)[4:] == b"ftyp"
    except OSError:
        return False


def _unknown_host(source: str) -> SourceError | None:
    """Returns the error if the source's host cannot be found."""
    try:
        host = urlsplit(source).hostname
    except ValueError:  # brackets that do not match
        return None
    if host is None:
        return None
    try:
        socket.getaddrinfo(host, None)
    except socket.gaierror as error:
        shown = redacted(source)
        if error.errno == socket.EAI_AGAIN:
            text = f"{shown}: the name {host} cannot be looked up now. Is the network up?"
            return SourceError(text, temporary=True)
        text = f"{shown}: no host has the name {host}. Is it spelled right?"
        return SourceError(text, temporary=True)
    except UnicodeError:  # of an empty label, or one that is too long
        return SourceError(f"{redacted(source)}: no host can have the name {host}.")
    return None
