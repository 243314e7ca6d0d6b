"""Knows when the last handler has ended.

gRPC's `stop` waits for the calls, not for the handlers of those that it cancelled. What they use
(threads, the gallery) must not be closed under them.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from grpc import aio

from facewire_server.rpc.handlers import Behaviour, wrapped
from facewire_server.work.condition import Condition

__all__ = ["CallsInterceptor"]


class CallsInterceptor(aio.ServerInterceptor):
    """Counts the handlers that run."""

    def __init__(self) -> None:
        self._running = 0
        self._moved = Condition()

    async def ended(self) -> None:
        """Waits until no handler runs."""
        await self._moved.until(lambda: not self._running)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the method's handler."""
        return wrapped(await continuation(handler_call_details), self._counted)

    def _counted(self, behaviour: Behaviour) -> Behaviour:
        async def counted(request: Any, context: Any) -> Any:
            self._running += 1
            try:
                return await behaviour(request, context)
            finally:
                self._running -= 1
                self._moved.notify()

        return counted
