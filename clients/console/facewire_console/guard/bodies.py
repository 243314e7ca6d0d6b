"""How much a request's body may have, and how long it may take."""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facewire_console.errors import Refused, refused_response
from facewire_console.guard.held import HeldBytes

__all__ = ["HEAD_BYTES", "Bodies"]

HEAD_BYTES: Final = 1 << 20
"""Bytes of a body beside its pictures: names, and what a multipart form puts around its parts. Chosen, not measured."""

_BODY_S: Final = 30.0
"""Seconds until a body has come: 16 MiB at 4.5 Mbit/s. Chosen, not measured."""

_RETRY_S: Final = 1.0
"""Seconds after which a client whose body found no room may come again. Chosen, not measured."""


class Bodies:
    """Middleware: counts the bytes of bodies while they come.

    What was received counts until the request's end, so that a client that sends nothing holds no room.
    """

    def __init__(self, app: ASGIApp, max_bytes_of: Callable[[str], int], held: HeldBytes) -> None:
        """Takes the limits.

        Args:
            app: what requests are passed on to.
            max_bytes_of: returns the most bytes of a body, by the request's path.
            held: what all bodies and frames together take.
        """
        self._app = app
        self._max_bytes_of = max_bytes_of
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on with a `receive` that counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = self._max_bytes_of(scope["path"])
        if _declared_bytes(scope) > max_bytes:  # refused before anything of it is read
            await refused_response(_too_large(max_bytes))(scope, receive, send)
            return
        until = asyncio.get_running_loop().time() + _BODY_S
        taken = 0
        is_whole = False

        async def counted() -> Message:
            nonlocal taken, is_whole
            if is_whole:  # what comes now is the client's leaving, for which there is no hurry
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise Refused(
                    408,
                    "BODY_TOO_SLOW",
                    f"the body did not come within {_BODY_S:.0f} s",
                    closes=True,
                ) from None
            is_whole = not message.get("more_body", False)
            size = len(message.get("body", b""))
            if taken + size > max_bytes:
                raise _too_large(max_bytes)
            if not self._held.take(size):
                raise Refused(
                    503,
                    "TOO_MANY_BODIES",
                    "pictures of other requests fill the memory for them; try again",
                    retry_after_s=_RETRY_S,
                    closes=True,
                )
            taken += size
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held.give_back(taken)


def _declared_bytes(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "0")
    return int(declared) if declared.isdecimal() else 0


def _too_large(max_bytes: int) -> Refused:
    return Refused(413, "BODY_TOO_LARGE", f"the body has more than {max_bytes} bytes", closes=True)
