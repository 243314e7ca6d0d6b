"""A command's run: a client, and errors turned into texts and exit codes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import typer

from facewire import (
    AsyncClient,
    Client,
    ErrorReason,
    FacewireError,
    InvalidPictureError,
    InvalidRequestError,
    NotSupportedError,
    ServerError,
    TokenFile,
    UnavailableError,
)
from facewire.cli._advice import BY_REASON, advice_for, system_text
from facewire.cli._interrupts import closed_by_ctrl_c
from facewire.cli._output import ERRORS

__all__ = [
    "EXIT_DENIED",
    "EXIT_INTERRUPTED",
    "EXIT_REFUSED",
    "EXIT_USAGE",
    "Server",
    "advised",
    "async_client",
    "reported",
    "session",
    "text_of",
    "usage_error",
]

C = TypeVar("C", Client, AsyncClient)

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_UNAVAILABLE = 3
EXIT_DENIED = 4
EXIT_SERVER_FAULT = 5
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as in shells. `facewire --help` explains the others."""


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """The server of the options and the environment. No repr: it holds the token."""

    target: str
    token: str | TokenFile | None
    tls: bool
    tls_ca: Path | None
    client_cert: Path | None
    client_key: Path | None
    timeout_s: float


@contextmanager
def session(server: Server, interrupted: threading.Event | None = None) -> Iterator[Client]:
    """Opens a client; its errors become a text on stderr and an exit code.

    Args:
        server: the server to use.
        interrupted: set by the first Ctrl-C, which also closes the client. A command that
            ends well nevertheless has done its work.

    Raises:
        typer.Exit: with the code.
    """
    interrupted = interrupted or threading.Event()
    with (
        reported(interrupted),
        _client(Client, server) as client,
        closed_by_ctrl_c(client, interrupted),
    ):
        yield client


@contextmanager
def reported(interrupted: threading.Event) -> Iterator[None]:
    """Turns errors into a text on stderr and an exit code.

    Raises:
        typer.Exit: with the code.
    """
    try:
        yield
    except (FacewireError, ValueError) as error:
        if interrupted.is_set():
            raise _interruption() from None
        if isinstance(error, UnicodeEncodeError):  # of a request's text
            raise usage_error(f"{error.object!a} is not UTF-8") from None
        if isinstance(error, ValueError):
            raise
        ERRORS.print(f"facewire: {text_of(error)}")
        raise typer.Exit(_exit_code(error)) from error
    except BrokenPipeError:
        raise  # the output pipe was closed: typer ends the command quietly
    except OSError as error:
        raise usage_error(system_text(error)) from error
    except KeyboardInterrupt:
        raise _interruption() from None


def async_client(server: Server) -> AsyncClient:
    """Returns a client for asyncio, within a running loop.

    Raises:
        typer.Exit: an option is wrong.
    """
    return _client(AsyncClient, server)


def usage_error(text: str) -> typer.Exit:
    """Prints what is wrong with the command and returns the exit to raise."""
    ERRORS.print(f"facewire: {text}")
    return typer.Exit(EXIT_USAGE)


def text_of(error: FacewireError) -> str:
    """Returns what happened, and what to do next in terms of the command line."""
    return f"{error.detail} {advice_for(error)}".strip()


def advised(detail: str, reason: ErrorReason | None) -> str:
    """Returns the server's text about one picture, with advice in terms of the command line if there is any."""
    advice = BY_REASON.get(reason, "") if reason else ""
    return f"{detail.rstrip('.')}. {advice}" if advice else detail


def _client(kind: type[C], server: Server) -> C:
    """Returns a client; an option that is wrong is said by its name.

    Raises:
        typer.Exit: an option is wrong.
    """
    options: dict[str, dict[str, Any]] = {
        "--server (FACEWIRE_SERVER)": {},
        "--tls-ca (FACEWIRE_TLS_CA)": {"root_certificates": server.tls_ca},
        "--client-cert and --client-key (FACEWIRE_CLIENT_CERT, FACEWIRE_CLIENT_KEY)": {
            "client_certificate": server.client_cert,
            "client_key": server.client_key,
        },
        "FACEWIRE_TOKEN": {
            "token": server.token,
            "tls": server.tls,
            "timeout_s": server.timeout_s,
        },
    }
    given: dict[str, Any] = {}
    for where, values in options.items():
        given |= values
        try:
            AsyncClient(server.target, **given)  # checks them, and connects to nothing
        except ValueError as error:
            raise usage_error(f"{error}. Look into {where}.") from None
    return kind(server.target, **given)


def _interruption() -> typer.Exit:
    ERRORS.print("facewire: interrupted")
    return typer.Exit(EXIT_INTERRUPTED)


def _exit_code(error: FacewireError) -> int:
    if error.retryable:
        return EXIT_UNAVAILABLE
    match error:
        case InvalidPictureError():
            return EXIT_REFUSED
        case InvalidRequestError():
            return EXIT_USAGE
        case UnavailableError():
            return EXIT_UNAVAILABLE
        case ServerError() | NotSupportedError():
            return EXIT_SERVER_FAULT
        case _:
            return EXIT_DENIED
