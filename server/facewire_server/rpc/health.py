"""The health service (`grpc.health.v1`), whose watchers end when the server shuts down.

gRPC's own servicer sends its watchers NOT_SERVING and leaves their calls open, so a shutdown waits for them
until its grace ends; other gRPC servers have changed that (https://github.com/grpc/grpc-dotnet/pull/2582).
"""

from collections import Counter
from functools import partial
from typing import Any, Final

from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire_server.errors import TooManyCalls
from facewire_server.work.condition import Condition

__all__ = ["HEALTH_NAMES", "HealthServicer"]

HEALTH_NAMES = ("", "facewire.v1.RecognitionService", "facewire.v1.GalleryService")
"""The names with a health: the process, and each service."""

_MAX_WATCHERS: Final = 64
"""Watchers at once. Health needs no token, so their number must be bounded. Chosen, not measured."""

_MAX_WATCHERS_OF_ONE: Final = 4
"""Watchers of one connection: one of each name, and one more. Chosen, not measured."""

_Response = health_pb2.HealthCheckResponse


class HealthServicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated, untyped
    """Reports which services are serving. None is before `set`."""

    def __init__(self) -> None:
        self._serving = dict.fromkeys(HEALTH_NAMES, False)
        self._changed = Condition()
        self._shut_down = False
        self._watchers: Counter[str] = Counter()

    def set(self, name: str, serving: bool) -> None:
        """Sets whether a service is serving; after `shut_down` none is."""
        if name not in self._serving:
            raise KeyError(name)
        self._serving[name] = serving and not self._shut_down
        self._changed.notify()

    def shut_down(self) -> None:
        """Sets every service to NOT_SERVING permanently, and ends the watchers after they received that."""
        self._shut_down = True
        for name in self._serving:
            self.set(name, False)

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
        peer = context.peer()
        if self._watchers.total() >= _MAX_WATCHERS or self._watchers[peer] >= _MAX_WATCHERS_OF_ONE:
            raise TooManyCalls("there are too many watchers; use Check")
        self._watchers[peer] += 1
        try:
            await self._watch(request.service, context)
        finally:
            self._watchers[peer] -= 1
            if not self._watchers[peer]:
                del self._watchers[peer]

    async def _watch(self, name: str, context: Any) -> None:
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
