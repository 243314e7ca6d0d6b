"""The browsers that are logged in: each has a session, with which all that it has open ends."""

import asyncio
import hmac
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

__all__ = ["COOKIE", "SESSION_S", "Session", "SessionEnded", "Sessions"]

COOKIE: Final = "facewire_console"

SESSION_S: Final = 12 * 60 * 60.0
"""Seconds until a browser must log in again: a working day. Chosen, not measured."""

_MAX_SESSIONS: Final = 1000
"""Browsers that are logged in at the same time; the oldest gives way. Chosen, not measured: 100 kB."""


class Session:
    """A browser that has shown the token: for how long it may go on, and what of it goes on."""

    def __init__(self) -> None:
        self.until = asyncio.get_running_loop().time() + SESSION_S
        self._open: set[asyncio.Timeout] = set()

    @property
    def lasts(self) -> bool:
        """Whether the browser may go on."""
        return asyncio.get_running_loop().time() < self.until

    def end(self) -> None:
        """Ends the browser's requests and WebSockets."""
        self.until = asyncio.get_running_loop().time()
        for request in self._open:
            if not request.expired():
                request.reschedule(self.until)

    @asynccontextmanager
    async def lasting(self) -> AsyncIterator[None]:
        """Runs a block, which ends with the session.

        Raises:
            SessionEnded: it has ended.
        """
        request = asyncio.timeout_at(self.until)
        try:
            async with request:
                self._open.add(request)
                yield
        except TimeoutError:
            if not request.expired():
                raise
            raise SessionEnded from None
        finally:
            self._open.discard(request)


class SessionEnded(Exception):
    """A browser has logged out, or must log in again."""


class Sessions:
    """The token, and the browsers that have shown it. Both comparisons take the same time for every guess."""

    def __init__(self, token: bytes | None) -> None:
        self._token = token
        self._sessions: OrderedDict[str, Session] = OrderedDict()

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
        cookie = secrets.token_urlsafe(32)
        self._sessions[cookie] = Session()
        while len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)[1].end()
        return cookie

    def end(self, cookie: str) -> None:
        """Forgets a browser, and ends what it has open."""
        session = self._sessions.pop(cookie, None)
        if session is not None:
            session.end()

    def of(self, headers: Headers) -> Session | None:
        """Returns the session of a request's cookie, if there is one and it lasts."""
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        # 256 random bits: a dictionary's look-up shows nothing that a guess could use.
        session = self._sessions.get(cookie)
        return session if session is not None and session.lasts else None

    def shows_token(self, headers: Headers) -> bool:
        """Returns whether a request has the token itself, or there is none."""
        if self._token is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.knows(token.strip()):
            return True
        return self.knows(headers.get("x-api-key", ""))
