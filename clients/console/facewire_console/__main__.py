"""`facewire-console`: the console as a process."""

import asyncio
import os
import socket
import sys
import warnings
from contextlib import suppress
from typing import Final

import uvicorn

from facewire import SimilarIdentityWarning
from facewire_console.app import create_app
from facewire_console.guard.connections import HEADERS_BYTES, BoundedHttp, BoundedWebSocket
from facewire_console.guard.handshakes import Handshake, tls_context
from facewire_console.guard.places import Places
from facewire_console.settings import Settings, SettingsError, read

__all__ = ["main"]

_KEEP_ALIVE_S: Final = 75
"""Seconds for which a connection may be without a request: a board that posts once a minute keeps its own. Chosen, not measured."""

_UNACKNOWLEDGED_MS: Final = 30_000
"""Milliseconds for which what was sent may be unacknowledged or untaken, before the kernel ends a connection: the client's machine is gone,
or it closed its window permanently. Chosen, not measured."""

_ENDING_S: Final = 5
"""Seconds for requests in progress when the console ends. Chosen, not measured."""

_BAD_SETTINGS: Final = 2
"""Exit status, as of argparse."""


def main() -> int:
    """Runs the console until SIGINT or SIGTERM; prints one line once it can be used.

    Returns:
        The exit status.
    """
    try:
        settings = read(sys.argv[1:], os.environ)
        listening = _listen(settings)
        config = _config(settings)
    except SettingsError as error:
        print(f"facewire-console: {error}", file=sys.stderr)
        return _BAD_SETTINGS
    # The answer to an enrollment says who resembles whom.
    warnings.filterwarnings("ignore", category=SimilarIdentityWarning)
    server = _Server(config, settings)
    with suppress(KeyboardInterrupt):  # uvicorn raises SIGINT again once it has ended
        server.run(sockets=[listening])
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Says when it can be used."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._scheme = "https" if settings.has_tls else "http"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"facewire console on {self._scheme}://{shown}:{port}", flush=True)


def _listen(settings: Settings) -> socket.socket:
    """Takes the port.

    Raises:
        SettingsError: it is taken, or there is no such address here.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it (tcp(7)).
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
        listening.bind(address)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
        ) from None
    return listening


def _config(settings: Settings) -> uvicorn.Config:
    places = Places(settings.max_connections)
    http: type[asyncio.Protocol] = BoundedHttp.within(places)
    if settings.tls_certificate is not None and settings.tls_key is not None:
        context = tls_context(settings.tls_certificate, settings.tls_key)
        http = Handshake.over(context, places, http)
    return uvicorn.Config(
        create_app(settings),
        http=http,
        ws=BoundedWebSocket.within(places),
        ws_max_size=settings.max_image_bytes,
        ws_per_message_deflate=False,  # JPEG does not shrink, and a small message could grow to a large one
        h11_max_incomplete_event_size=HEADERS_BYTES,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_ENDING_S,
        access_log=False,  # addresses hold ids of people
        log_level="error",  # what clients do wrong fills no disk
        server_header=False,
        proxy_headers=False,  # whoever sends them is not known to be a proxy
    )


if __name__ == "__main__":
    raise SystemExit(main())
