"""A command's run: a client, and errors turned into texts and exit codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from facewire import (
    Client,
    DeadlineError,
    FacewireError,
    InvalidPictureError,
    InvalidRequestError,
    NotSupportedError,
    ServerError,
    UnavailableError,
)
from facewire.cli._output import ERRORS

__all__ = ["EXIT_INTERRUPTED", "EXIT_REFUSED", "EXIT_USAGE", "Server", "session", "usage_error"]

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_UNAVAILABLE = 3
EXIT_DENIED = 4
EXIT_SERVER_FAULT = 5
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """Which server, as the options and the environment say. No repr: it holds the token."""

    target: str
    token: str | None
    tls: bool
    tls_ca: Path | None


@contextmanager
def session(server: Server) -> Iterator[Client]:
    """Gives a client; what it raises becomes a text on stderr and an exit code.

    Raises:
        typer.Exit: with the code.
    """
    try:
        with Client(
            server.target, token=server.token, tls=server.tls, root_certificates=server.tls_ca
        ) as client:
            yield client
    except FacewireError as error:
        ERRORS.print(f"facewire: {error}")
        raise typer.Exit(_exit_code(error)) from error
    except OSError as error:
        # The text of ours is a sentence; the system's is a number, a reason and a path.
        text = f"{error.filename}: {error.strerror}" if error.strerror else str(error)
        raise usage_error(text) from error
    except (KeyboardInterrupt, typer.Abort):
        ERRORS.print("facewire: interrupted")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def usage_error(text: str) -> typer.Exit:
    """Prints what is wrong with the command and gives the exit to raise."""
    ERRORS.print(f"facewire: {text}")
    return typer.Exit(EXIT_USAGE)


def _exit_code(error: FacewireError) -> int:
    match error:
        case InvalidPictureError():
            return EXIT_REFUSED
        case InvalidRequestError():
            return EXIT_USAGE
        case UnavailableError() | DeadlineError():
            return EXIT_UNAVAILABLE
        case ServerError() | NotSupportedError():
            return EXIT_SERVER_FAULT
        case _:
            return EXIT_DENIED
