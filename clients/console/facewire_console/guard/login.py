"""The login: one token, which a browser changes for a cookie once, and a program sends with each request."""

import json
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from facewire_console.errors import Refused, refused_response
from facewire_console.guard.sessions import COOKIE, SESSION_S, Session, SessionEnded, Sessions
from facewire_console.settings import Settings

__all__ = ["LOGIN", "LOGIN_BYTES", "Login", "log_in", "log_out"]

LOGIN: Final = "/api/login"

LOGIN_BYTES: Final = 4096
"""Bytes of a login's body: a token, which is a line. Chosen, not measured."""

_GUARDED: Final = ("/api/", "/v1/", "/ws/", "/sanushost/")
"""Starts of paths that need the login; the page itself and the documents do not."""

_OPEN: Final = frozenset({LOGIN, "/api/logout"})
_OLD_CAMERAS: Final = frozenset(
    {"/sanushost/api/v1.0/sanitizer_img", "/sanushost/api/v1.0/entry_img"}
)
"""What old cameras call, which can send no token: it recognizes, and changes nothing."""

_OWN_KEYS: Final = ("/api/v1/", "/v1/vision/")
"""Starts of paths of the CompreFace door, which asks for keys of its own, and is closed without them."""

_ENDED: Final = 1008
"""Close code of a WebSocket whose browser has logged out (RFC 6455 section 7.4.1)."""


class Login:
    """Middleware: nothing about people without the login."""

    def __init__(self, app: ASGIApp, settings: Settings, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions
        self._open = _OPEN | (_OLD_CAMERAS if settings.old_cameras_without_login else frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks a request or a WebSocket, and passes it on."""
        if scope["type"] not in ("http", "websocket") or self._is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        session = self._sessions.of(headers)
        if session is not None:
            await self._serve_while(session, scope, receive, send)
        elif self._sessions.shows_token(headers):
            await self._app(scope, receive, send)
        else:
            await _refuse(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._open or path.startswith(_OWN_KEYS) or not path.startswith(_GUARDED)

    async def _serve_while(
        self, session: Session, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serves a browser until it logs out, also what would go on: the events, and a WebSocket."""
        begun = ""

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = message["type"]
            await send(message)

        try:
            async with session.lasting():
                await self._app(scope, receive, noted)
        except SessionEnded:
            if not begun:
                await _refuse(scope, receive, send)
            elif scope["type"] == "http":
                await send({"type": "http.response.body", "body": b""})
            elif begun != "websocket.close":
                await WebSocketClose(_ENDED, "LOGIN_REQUIRED")(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    refused = Refused(
        401,
        "LOGIN_REQUIRED",
        "log in with the console's token",
        beside={"login": {"required": True, "logged_in": False}},
        closes=True,  # whatever is sent with it is not read
    )
    await refused_response(refused)(scope, receive, send)


async def log_in(request: Request) -> Response:
    """`POST /api/login`: changes the token for a cookie, which no script can read and no other site sends."""
    sessions: Sessions = request.app.state.sessions
    try:
        token = json.loads(await request.body())["token"]
    except (ValueError, KeyError, TypeError):
        token = None
    if not isinstance(token, str):
        raise Refused(400, "BAD_REQUEST", 'the body must be {"token": "..."}')
    if sessions.needed and not sessions.knows(token):
        raise Refused(401, "LOGIN_REQUIRED", "this is not the console's token")
    sessions.end(request.cookies.get(COOKIE, ""))
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        sessions.begin(),
        max_age=int(SESSION_S),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


async def log_out(request: HTTPConnection) -> Response:
    """`POST /api/logout`."""
    sessions: Sessions = request.app.state.sessions
    sessions.end(request.cookies.get(COOKIE, ""))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response
