"""Waits for the last handler to end.

gRPC's `stop` waits for the calls, not for the handlers of those that it cancelled
(https://github.com/grpc/grpc/issues/37239). Threads and the gallery, which handlers use, must not be
closed before the handlers end.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from grpc import aio

from facewire_server.rpc.handlers import Behavior, wrapped
from facewire_server.work.condition import Condition

__all__ = ["CallsInterceptor"]


class CallsInterceptor(aio.ServerInterceptor):
    """Counts the running handlers."""

    def __init__(self) -> None:
        self._running = 0
        self._changed = Condition()

    async def ended(self) -> None:
        """Waits until no handler is running."""
        await self._changed.until(lambda: not self._running)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the method's handler."""
        return wrapped(await continuation(handler_call_details), self._counted)

    def _counted(self, behavior: Behavior) -> Behavior:
        async def counted(request: Any, context: Any) -> Any:
            self._running += 1
            try:
                return await behavior(request, context)
            finally:
                self._running -= 1
                self._changed.notify()

        return counted
