"""The command `facewire`."""

import io
import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits with one of its codes (`facewire --help`)."""
    # A path may hold bytes that are not text: shown as \udce9, in JSON so that they can be read back.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from facewire.cli._app import app

        app()
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        print(
            "facewire: the command line needs more: pip install 'WHEEL[cli]', of the client's wheel",
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:  # before the command has begun
        sys.exit(130)
