"""The login: one token, which a browser changes for a cookie once, and a program sends with each request."""

import hmac
import json
import secrets
import time
from collections import OrderedDict
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request, cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from facewire_console.errors import Refused, refused_response
from facewire_console.settings import Settings

__all__ = ["COOKIE", "LOGIN", "LOGIN_BYTES", "Login", "Sessions", "log_in", "log_out"]

COOKIE: Final = "facewire_console"
LOGIN: Final = "/api/login"

LOGIN_BYTES: Final = 4096
"""Bytes of a login's body: a token, which is a line. Chosen, not measured."""

_SESSION_S: Final = 12 * 60 * 60.0
"""Seconds until a browser must log in again: a working day. Chosen, not measured."""

_MAX_SESSIONS: Final = 1000
"""Browsers that are logged in at the same time; the oldest gives way. Chosen, not measured: 100 kB."""

_GUARDED: Final = ("/api/", "/v1/", "/ws/", "/sanushost/")
"""Starts of paths that need the login; the page itself and the documents do not."""

_OPEN: Final = frozenset({LOGIN, "/api/logout"})
_OLD_CAMERAS: Final = frozenset(
    {"/sanushost/api/v1.0/sanitizer_img", "/sanushost/api/v1.0/entry_img"}
)
"""What old cameras call, which can send no token: it recognizes, and changes nothing."""

_OWN_KEYS: Final = ("/api/v1/", "/v1/vision/")
"""Starts of paths of the CompreFace door, which asks for keys of its own, and is closed without them."""

_REFUSED_CODE: Final = 1008
"""Close code of a WebSocket that is refused (RFC 6455 section 7.4.1): uvicorn turns it into status 403."""


class Sessions:
    """The token, and the browsers that have shown it. Both comparisons take the same time for every guess."""

    def __init__(self, token: bytes | None) -> None:
        self._token = token
        self._until: OrderedDict[str, float] = OrderedDict()

    @property
    def needed(self) -> bool:
        """Whether there is a login at all."""
        return self._token is not None

    def knows(self, token: str) -> bool:
        """Returns whether a text is the token."""
        return self._token is not None and hmac.compare_digest(
            token.encode("utf-8", "replace"), self._token
        )

    def begin(self) -> str:
        """Returns the cookie of a browser that has shown the token."""
        session = secrets.token_urlsafe(32)
        self._until[session] = time.monotonic() + _SESSION_S
        while len(self._until) > _MAX_SESSIONS:
            self._until.popitem(last=False)
        return session

    def end(self, session: str) -> None:
        """Forgets a browser."""
        self._until.pop(session, None)

    def admits(self, headers: Headers) -> bool:
        """Returns whether a request has a browser's cookie, or the token itself."""
        if self._token is None:
            return True
        session = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        # 256 random bits: a dictionary's look-up shows nothing that a guess could use.
        if self._until.get(session, 0.0) > time.monotonic():
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.knows(token.strip()):
            return True
        return self.knows(headers.get("x-api-key", ""))


class Login:
    """Middleware: nothing about people without the login."""

    def __init__(self, app: ASGIApp, settings: Settings, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions
        self._open = _OPEN | (_OLD_CAMERAS if settings.old_cameras_without_login else frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks a request or a WebSocket, and passes it on."""
        if scope["type"] not in ("http", "websocket") or self._admits(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(_REFUSED_CODE, "LOGIN_REQUIRED")(scope, receive, send)
        else:
            refused = Refused(
                401,
                "LOGIN_REQUIRED",
                "log in with the console's token",
                beside={"login": {"required": True, "logged_in": False}},
                closes=True,  # whatever is sent with it is not read
            )
            await refused_response(refused)(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if path in self._open or path.startswith(_OWN_KEYS) or not path.startswith(_GUARDED):
            return True
        return self._sessions.admits(Headers(scope=scope))


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
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        sessions.begin(),
        max_age=int(_SESSION_S),
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
