"""The command `facewire`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits with one of its codes (`facewire --help`)."""
    try:
        from facewire.cli._app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        print("facewire: the command line needs more: pip install 'facewire[cli]'", file=sys.stderr)
        sys.exit(2)
    app()
