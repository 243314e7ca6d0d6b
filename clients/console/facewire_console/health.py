"""Whether the console on this machine answers: `python -m facewire_console.health`, of the same variables as the console."""

import http.client
import os
import ssl
import sys
from contextlib import closing
from typing import Final

from facewire_console.settings import Settings, SettingsError, is_loopback, read

__all__ = ["answers", "main"]

_TIMEOUT_S: Final = 4.0
"""Seconds: less than the 5 s that the health checks of Dockerfile.console and compose.yaml allow."""

_PATH: Final = "/docs"
"""A page that needs no login, and no server."""


def main() -> int:
    """Returns the exit status: 0 if the console answers, 1 if it does not or its settings cannot be used."""
    try:
        return 0 if answers(read([], os.environ)) else 1
    except SettingsError as error:
        print(f"facewire-console: {error}", file=sys.stderr)
        return 1


def answers(settings: Settings) -> bool:
    """Returns whether the console of these settings answers. It is asked on loopback, and no certificate is checked: nothing secret is sent."""
    host = settings.host if is_loopback(settings.host) else "127.0.0.1"
    connection = (
        http.client.HTTPSConnection(
            host, settings.port, timeout=_TIMEOUT_S, context=ssl._create_unverified_context()
        )
        if settings.has_tls
        else http.client.HTTPConnection(host, settings.port, timeout=_TIMEOUT_S)
    )
    with closing(connection):
        try:
            connection.request("GET", _PATH, headers={"Host": "localhost"})
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False


if __name__ == "__main__":
    sys.exit(main())
