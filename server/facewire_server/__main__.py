"""The command `facewire-server`: run the server, ask a running one how it is, or print settings."""

import asyncio
import os
import sys

from facewire_server.errors import ServerError
from facewire_server.healthcheck import NoAnswer, health
from facewire_server.settings import Settings, SettingsError

__all__ = ["main"]

_USAGE = """\
usage: facewire-server run [FLAGS]       serve until SIGTERM or Ctrl-C
       facewire-server health [FLAGS]    ask the server that these flags start whether it serves
       facewire-server config [FLAGS]    print every setting with its value and exit
       facewire-server run --help        tell the flags
"""


def main() -> int:
    """Runs one command of the command line.

    Returns:
        0 when it ended as asked, 1 when the server cannot run or (`health`) does not serve
        everything, 2 when it was called wrongly.
    """
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help"):
        print(_USAGE, end="")
        return 0
    if command not in ("run", "health", "config"):
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
    if command == "health":
        return _print_health(settings)
    # Not at the top: a process that only prints settings loads no engine.
    from facewire_server.app import serve

    try:
        asyncio.run(serve(settings))
    except (ServerError, SettingsError, OSError) as error:
        print(f"facewire-server: {error}", file=sys.stderr)
        return 1
    return 0


def _print_settings(settings: Settings) -> None:
    for variable, value, about in settings.described():
        print(f"# {about}\n{variable}={value}")


def _print_health(settings: Settings) -> int:
    try:
        serving = health(settings)
    except NoAnswer as error:
        print(f"facewire-server: {error}", file=sys.stderr)
        return 1
    for name, well in serving.items():
        print(f"{name or 'process'} {'SERVING' if well else 'NOT_SERVING'}")
    return 0 if all(serving.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
