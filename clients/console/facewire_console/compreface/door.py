"""What each request of the door needs: who asks, for which gallery, and errors in the door's own shape."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from facewire import AsyncClient, ServerInfo
from facewire_console.compreface.errors import FAILURES, Code, DoorError, door_error, error_response
from facewire_console.compreface.keys import KeyFile, KeyFileError
from facewire_console.compreface.subjects import Subjects
from facewire_console.console import Console, console_of

__all__ = ["Asked", "Door", "Endpoint", "Work"]

Endpoint = Callable[[Request], Awaitable[Response]]

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose key is good.

    Attributes:
        request: the request.
        door: that it came through.
        gallery: the id of the gallery that its key is for.
    """

    request: Request
    door: "Door"
    gallery: str

    @property
    def client(self) -> AsyncClient:
        """The console's client of the facewire server."""
        return console_of(self.request).client

    @property
    def subjects(self) -> Subjects:
        """The subjects of the gallery."""
        return self.door.subjects(console_of(self.request), self.gallery)

    async def server(self) -> ServerInfo:
        """Returns the server's properties."""
        return await self.door.server(self.client)


Work = Callable[[Asked], Awaitable[Response]]
"""What is done for a request; it may raise one of `FAILURES`."""


class Door:
    """The keys, and the subjects of each gallery."""

    def __init__(self, keys: KeyFile | None, *, may_delete_all: bool) -> None:
        """Takes what all requests share.

        Args:
            keys: that open the door; None = none does.
            may_delete_all: whether a request that names no subject may delete all of them.
        """
        self.may_delete_all = may_delete_all
        self._keys = keys
        self._subjects: dict[str, Subjects] = {}
        self._server: ServerInfo | None = None

    def subjects(self, console: Console, gallery: str) -> Subjects:
        """Returns the subjects of a gallery: the same object each time, since it puts changes in a row."""
        return self._subjects.setdefault(gallery, Subjects(console, gallery))

    async def server(self, client: AsyncClient) -> ServerInfo:
        """Returns the server's properties, which are asked for once: another version of the server needs a new console."""
        if self._server is None:
            self._server = await client.server_info()
        return self._server

    def gallery_of(self, key: str) -> str:
        """Returns the gallery that a key is for.

        Raises:
            DoorError: no such key.
        """
        try:
            gallery = self._keys.gallery_of(key) if self._keys else None
        except KeyFileError as error:
            _LOG.error("the file of keys cannot be used: %s", error)
            raise DoorError(Code.SERVICE, "The keys of this service cannot be read") from None
        if gallery is None:
            raise DoorError(Code.UNKNOWN_KEY, "There is no service with this x-api-key")
        return gallery

    def endpoint(self, work: Work) -> Endpoint:
        """Returns an endpoint of Starlette that does the work for whoever shows a key."""

        async def endpoint(request: Request) -> Response:
            try:
                key = request.headers.get("x-api-key")
                if not key:
                    raise DoorError(Code.NO_KEY, "Missing header: x-api-key")
                return await work(Asked(request, self, self.gallery_of(key)))
            except FAILURES as error:
                return error_response(door_error(error))

        return endpoint
