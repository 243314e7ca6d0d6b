"""The health service (`grpc.health.v1`), whose watchers end when the server shuts down.

gRPC's own servicer tells its watchers NOT_SERVING and leaves them open, and then a shutdown
lasts as long as the most patient load balancer.
"""

from functools import partial
from typing import Any

from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire_server.work.condition import Condition

__all__ = ["HEALTH_NAMES", "HealthServicer"]

HEALTH_NAMES = ("", "facewire.v1.RecognitionService", "facewire.v1.GalleryService")
"""What can be asked for: the process, and each service."""

_MOST_WATCHERS = 32
"""Health is told without a token; watchers beyond these would take calls from those who have one."""

_Response = health_pb2.HealthCheckResponse


class HealthServicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated, untyped
    """Tells what is serving. Nothing is until `set` says so."""

    def __init__(self) -> None:
        self._serving = dict.fromkeys(HEALTH_NAMES, False)
        self._moved = Condition()
        self._shut_down = False
        self._watchers = 0

    def set(self, name: str, serving: bool) -> None:
        """Says whether the service of this name is serving; after `shut_down` none is."""
        if name not in self._serving:
            raise KeyError(name)
        self._serving[name] = serving and not self._shut_down
        self._moved.notify()

    def shut_down(self) -> None:
        """Says that nothing is serving any more, and ends the watchers after they were told."""
        self._shut_down = True
        for name in self._serving:
            self.set(name, False)

    async def Check(self, request: Any, context: Any) -> Any:
        """Answers for one service."""
        if request.service not in self._serving:
            await context.abort(StatusCode.NOT_FOUND, "no such service")
        return _Response(status=self._status(request.service))

    async def List(self, request: Any, context: Any) -> Any:
        """Answers for all services."""
        response = health_pb2.HealthListResponse()
        for name in self._serving:
            response.statuses[name].status = self._status(name)
        return response

    async def Watch(self, request: Any, context: Any) -> None:
        """Answers now and after each change."""
        if self._watchers >= _MOST_WATCHERS:
            await context.abort(StatusCode.RESOURCE_EXHAUSTED, "too many watchers; use Check")
        self._watchers += 1
        try:
            await self._watch(request.service, context)
        finally:
            self._watchers -= 1

    async def _watch(self, name: str, context: Any) -> None:
        told = None
        while (status := self._status(name)) != told or not self._shut_down:
            if status != told:
                await context.write(_Response(status=status))
                told = status
            else:
                await self._moved.until(partial(self._has_news, name, told))

    def _has_news(self, name: str, told: Any) -> bool:
        return self._shut_down or self._status(name) != told

    def _status(self, name: str) -> Any:
        if name not in self._serving:
            return _Response.SERVICE_UNKNOWN
        return _Response.SERVING if self._serving[name] else _Response.NOT_SERVING
