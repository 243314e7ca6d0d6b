"""The command `facewire`."""

import signal
import sys
import threading

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits with one of its codes (`facewire --help`)."""
    sys.unraisablehook = _interrupt_again
    try:
        from facewire.cli._app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        print("facewire: the command line needs more: pip install 'facewire[cli]'", file=sys.stderr)
        sys.exit(2)
    app()


def _interrupt_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Python drops a Ctrl-C that falls into a destructor: it is given again, after that."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    main_thread = threading.main_thread().ident or 0
    again = threading.Timer(0.05, signal.pthread_kill, (main_thread, signal.SIGINT))
    again.daemon = True
    again.start()
