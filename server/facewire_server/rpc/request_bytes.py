"""Counts the bytes of the requests of calls in progress, and refuses those that find no room."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
from grpc import aio

from facewire_server.rpc.handlers import Behavior, wrapped
from facewire_server.work.held_bytes import ByteBudget

__all__ = ["RequestBytesInterceptor"]

_FREE_BYTES: Final = 64 << 10
"""Bytes of a request that is not counted, so that no health check is refused. Chosen, not measured: the most calls in progress,
128 by default, hold 8 MB of such."""


class RequestBytesInterceptor(aio.ServerInterceptor):
    """Holds the bytes of a unary request, which gRPC has read, until its call ends."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the method's handler."""
        return wrapped(await continuation(handler_call_details), self._held)

    def _held(self, behavior: Behavior) -> Behavior:
        async def held(request: Any, context: Any) -> Any:
            if not isinstance(request, bytes) or len(request) <= _FREE_BYTES:
                return await behavior(request, context)
            with self._budget.held(len(request)):
                return await behavior(request, context)

        return held
