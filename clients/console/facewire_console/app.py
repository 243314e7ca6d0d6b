"""The application: every door behind the same guards."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles

from facewire import FacewireError
from facewire_console import ancestor, api, compreface
from facewire_console.console import opened
from facewire_console.errors import Refused, error_response, http_error, refused_response
from facewire_console.guard.bodies import HEAD_BYTES, Bodies
from facewire_console.guard.faults import Faults
from facewire_console.guard.headers import SafeHeaders
from facewire_console.guard.held import HeldBytes
from facewire_console.guard.leaving import Leaving
from facewire_console.guard.login import LOGIN, LOGIN_BYTES, Login
from facewire_console.guard.sessions import Sessions
from facewire_console.guard.sites import Sites
from facewire_console.live import Live
from facewire_console.settings import Settings

__all__ = ["create_app"]

_STATIC: Final = Path(__file__).parent / "static"


def create_app(settings: Settings) -> Starlette:
    """Makes the application. Its lifespan opens one client of the server, which need not be there yet.

    Raises:
        SettingsError: the file of the login's token, or of the CompreFace door's keys, cannot be used.
    """
    sessions = Sessions(settings.login_token())
    held = HeldBytes(settings.max_image_bytes)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened(settings, held) as app.state.console:
            yield

    def max_body_bytes(path: str) -> int:
        if path == LOGIN:  # which everyone may call
            return LOGIN_BYTES
        if path.startswith(ancestor.PREFIX):
            return ancestor.MAX_BODY_BYTES
        return settings.max_image_bytes + HEAD_BYTES

    app = Starlette(
        routes=_routes(settings),
        lifespan=lifespan,
        # From the outside in.
        middleware=[
            Middleware(SafeHeaders),
            Middleware(Faults),
            Middleware(Sites, settings),
            Middleware(Login, settings, sessions),
            Middleware(Bodies, max_body_bytes, held),
            Middleware(Leaving, _goes_on),
        ],
        exception_handlers={
            FacewireError: error_response,
            Refused: error_response,
            HTTPException: http_error,
        },
    )
    app.state.sessions = sessions
    return app


def _goes_on(method: str, path: str) -> bool:
    """Returns whether a request is worked on although its client has left.

    Old cameras and boards may leave once they have posted, and a change through the CompreFace door has several steps.
    """
    return path.startswith((ancestor.PREFIX, "/v1/frames/")) or compreface.changes(method, path)


def _routes(settings: Settings) -> list[BaseRoute]:
    return [
        *api.routes(),
        *compreface.routes(settings),
        WebSocketRoute("/ws/live", Live().serve),
        *ancestor.routes(),
        WebSocketRoute("/{path:path}", refused_response(Refused(404, "NOT_FOUND", "Not Found"))),
        Mount("/", StaticFiles(directory=_STATIC, html=True)),
    ]
