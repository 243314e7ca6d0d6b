"""A fault of the console: a fixed text with an id for the client, and in the log the lines of code, without the error's text.

The text of an exception may hold what was sent: names, or pieces of a picture.
"""

import logging
import secrets
import traceback
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from facewire_console.errors import Refused, refused_response

__all__ = ["Faults"]

_LOG: Final = logging.getLogger("facewire_console")


class Faults:
    """Middleware: no exception goes further up."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except (ClientDisconnect, WebSocketDisconnect):
            return  # the client left
        except Exception as error:  # noqa: BLE001 whatever it is, its text is not logged
            fault_id = secrets.token_hex(4)
            _log(error, fault_id)
            if started or scope["type"] != "http":
                raise _Cut from None  # uvicorn cuts the connection off
            refused = Refused(
                500, "INTERNAL", f"a fault of the console; its log has the id {fault_id}"
            )
            await refused_response(refused)(scope, receive, send)


class _Cut(Exception):
    """A response or a WebSocket that cannot go on."""


def _log(error: Exception, fault_id: str) -> None:
    lines = [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    _LOG.error("fault %s: %s at %s", fault_id, type(error).__name__, " < ".join(reversed(lines)))
