"""A client that leaves before its response: what works for it is cancelled, and with it the calls of the server."""

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Leaving"]


class Leaving:
    """Middleware: cancels a request's work when its client has left, once the whole request has come.

    A call of the server that had begun to write may have written, as after any cancellation.
    """

    def __init__(self, app: ASGIApp, goes_on: Callable[[str, str], bool]) -> None:
        """Takes the application.

        Args:
            app: what requests are passed on to.
            goes_on: returns whether a request is worked on to its end, by its method and its path.
        """
        self._app = app
        self._goes_on = goes_on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, within the stay of its client."""
        if scope["type"] != "http" or self._goes_on(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(None) as stay:
                client = _Client(receive, send, stay)
                if not _has_body(scope):  # then the application need not read to its end
                    client.watch()
                try:
                    await self._app(scope, client.receive, client.send)
                finally:
                    client.is_served()
        except TimeoutError:
            if not stay.expired():
                raise


class _Client:
    """The client of one request, who is watched from the end of the request to that of the response."""

    def __init__(self, receive: Receive, send: Send, stay: asyncio.Timeout) -> None:
        self._receive = receive
        self._send = send
        self._stay = stay
        self._watch: asyncio.Task[None] | None = None
        self._is_read = False
        self._is_gone = asyncio.Event()

    def watch(self) -> None:
        """Ends the stay when the client leaves."""
        self._watch = asyncio.create_task(self._leaves())

    def is_served(self) -> None:
        """Watches no longer: after a response uvicorn says that the client has left, whether it has or not."""
        if self._watch is not None:
            self._watch.cancel()

    async def receive(self) -> Message:
        """Receives for the application."""
        if self._watch is None:
            message = await self._receive()
            self._is_read = not message.get("more_body", False)
            if self._is_read:
                self.watch()
            return message
        if not self._is_read:  # the body of a request that has none, which `_leaves` takes
            self._is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Sends for the application."""
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if is_last:
            self.is_served()
        await self._send(message)
        if is_last:  # not before: the application may send nothing after it
            self._is_gone.set()

    async def _leaves(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone.set()
        self._stay.reschedule(asyncio.get_running_loop().time())


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
