"""The command `facewire-server`: run the server, or print its settings."""

import asyncio
import os
import sys

from facewire_server.errors import FacewireError
from facewire_server.settings import Settings, SettingsError

__all__ = ["main"]

_USAGE = """\
usage: facewire-server run [FLAGS]       serve until SIGTERM or Ctrl-C
       facewire-server config [FLAGS]    print every setting with its value and exit
       facewire-server run --help        tell the flags
"""


def main() -> int:
    """Runs one command of the command line.

    Returns:
        0 when it ended as asked, 1 when the server cannot run, 2 when it was called wrongly.
    """
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help"):
        print(_USAGE, end="")
        return 0
    if command not in ("run", "config"):
        print(
            f"facewire-server: there is no command {command!r}\n{_USAGE}", end="", file=sys.stderr
        )
        return 2
    try:
        settings = Settings.read(arguments, os.environ, program=f"facewire-server {command}")
    except SettingsError as error:
        print(f"facewire-server: {error}", file=sys.stderr)
        return 2
    if command == "config":
        _print_settings(settings)
        return 0
    # Not at the top: a process that only prints settings loads no engine.
    from facewire_server.app import serve

    try:
        asyncio.run(serve(settings))
    except (FacewireError, SettingsError, OSError) as error:
        print(f"facewire-server: {error}", file=sys.stderr)
        return 1
    return 0


def _print_settings(settings: Settings) -> None:
    for variable, value, about in settings.described():
        print(f"# {about}\n{variable}={value}")


if __name__ == "__main__":
    sys.exit(main())
