"""The health service (`grpc.health.v1`), whose watchers end when the server shuts down.

gRPC's own servicer sends its watchers NOT_SERVING and leaves their calls open, so a shutdown waits for them
until its grace ends; other gRPC servers have changed that (https://github.com/grpc/grpc-dotnet/pull/2582).
"""

import math
from functools import partial
from typing import Any, Final

from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire_server.errors import TooManyCalls
from facewire_server.rpc.forwarded import connection_of
from facewire_server.rpc.places import WaitingRoom
from facewire_server.work.condition import Condition

__all__ = ["HEALTH_NAMES", "HealthServicer"]

HEALTH_NAMES = ("", "facewire.v1.RecognitionService", "facewire.v1.GalleryService")
"""The names with a health: the process, and each service."""

_MAX_WATCHERS: Final = 64
"""Watchers at once. Health needs no token, so their number must be bounded. Chosen, not measured."""

_MAX_WATCHERS_OF_ONE: Final = 4
"""Watchers of one connection: one of each name, and one more. Chosen, not measured."""

_SHARE_OF_WATCHERS: Final = 0.25
"""Share of the connections that may have watchers: those are not closed for being silent, so that others must have
room beside them. Chosen, not measured."""

_Response = health_pb2.HealthCheckResponse


class HealthServicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated, untyped
    """Reports which services are serving. None is before `set`.

    A new watcher takes the place of another if there are as many as may be, as in any `WaitingRoom`.
    """

    def __init__(self, max_connections: int) -> None:
        """Takes the most connections of the server."""
        self._serving = dict.fromkeys(HEALTH_NAMES, False)
        self._changed = Condition()
        self._leaving = False
        self._shut_down = False
        most = min(_MAX_WATCHERS, max(1, int(max_connections * _SHARE_OF_WATCHERS)))
        self._watchers = WaitingRoom(most, "watched the health; use Check")

    def connections(self) -> frozenset[str]:
        """Returns the peers that have a watcher."""
        return self._watchers.connections()

    def set(self, name: str, serving: bool) -> None:
        """Sets whether a service is serving; after `leave` none is."""
        if name not in self._serving:
            raise KeyError(name)
        self._serving[name] = serving and not self._leaving
        self._changed.notify()

    def leave(self) -> None:
        """Sets every service to NOT_SERVING permanently; the watchers stay."""
        self._leaving = True
        for name in self._serving:
            self.set(name, False)

    def shut_down(self) -> None:
        """As `leave`; the watchers end after they received that."""
        self._shut_down = True
        self.leave()

    async def Check(self, request: Any, context: Any) -> Any:
        """Returns the health of one service."""
        if request.service not in self._serving:
            await context.abort(StatusCode.NOT_FOUND, "no such service")
        return _Response(status=self._status(request.service))

    async def List(self, request: Any, context: Any) -> Any:
        """Returns the health of all services."""
        response = health_pb2.HealthListResponse()
        for name in self._serving:
            response.statuses[name].status = self._status(name)
        return response

    async def Watch(self, request: Any, context: Any) -> None:
        """Sends the health now and after each change."""
        peer = connection_of(context)
        if self._watchers.of_connection(peer) >= _MAX_WATCHERS_OF_ONE:
            raise TooManyCalls("this connection has too many watchers; use Check")
        await self._watchers.wait(peer, self._watch(request.service, context), math.inf)

    async def _watch(self, name: str, context: Any) -> None:
        # By itself: if a first write with it is cut off, gRPC cannot send the status either.
        await context.send_initial_metadata(())
        sent = None
        while (status := self._status(name)) != sent or not self._shut_down:
            if status != sent:
                await context.write(_Response(status=status))
                sent = status
            else:
                await self._changed.until(partial(self._has_news, name, sent))

    def _has_news(self, name: str, sent: Any) -> bool:
        return self._shut_down or self._status(name) != sent

    def _status(self, name: str) -> Any:
        if name not in self._serving:
            return _Response.SERVICE_UNKNOWN
        return _Response.SERVING if self._serving[name] else _Response.NOT_SERVING
