"""Counts calls by method and status, under the names that are usual for gRPC servers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
from grpc import StatusCode, aio
from prometheus_client import CollectorRegistry

from facewire_server.rpc.handlers import Behavior, wrapped
from facewire_server.rpc.services import METHODS, SERVICES
from facewire_server.telemetry import catalog

__all__ = ["CallMetrics"]

_CODES: Final = {code.value[0]: code.name for code in StatusCode}
"""Names of gRPC's status codes by number."""


class CallMetrics(aio.ServerInterceptor):
    """Counts calls of the methods that exist, so that clients cannot invent labels.

    To be the outermost interceptor, so that it sees the status that the others set. The series of each method
    with OK and INTERNAL exist from the start: `increase` does not count the call that makes a series.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._started = catalog.counter("grpc_server_started_total", registry)
        self._handled = catalog.counter("grpc_server_handled_total", registry)
        for service in SERVICES:
            for method in service.methods:
                arity = (method.client_streaming, method.server_streaming)
                labels = (_TYPES[arity], service.full_name, method.name)
                self._started.labels(*labels)
                for code in (StatusCode.OK, StatusCode.INTERNAL):
                    self._handled.labels(*labels, code.name)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the method's handler."""
        handler = await continuation(handler_call_details)
        path = handler_call_details.method
        if path not in METHODS:  # its handler is None, or refuses a call without a token
            return handler
        _, service, method = path.split("/")
        arity = (METHODS[path].client_streaming, METHODS[path].server_streaming)
        labels = (_TYPES[arity], service, method)

        def counted(behavior: Behavior) -> Behavior:
            async def count(request: Any, context: Any) -> Any:
                self._started.labels(*labels).inc()
                # gRPC's status for an exception that no interceptor handled.
                code = StatusCode.UNKNOWN.name
                try:
                    response = await behavior(request, context)
                    code = _code(context.code())
                    return response
                except aio.AbortError:
                    code = _code(context.code())
                    raise
                except asyncio.CancelledError:
                    code = _end_of_cancelled(context)
                    raise
                finally:
                    self._handled.labels(*labels, code).inc()

            return count

        return wrapped(handler, counted)


_TYPES: Final = {
    (False, False): "unary",
    (False, True): "server_stream",
    (True, False): "client_stream",
    (True, True): "bidi_stream",
}


def _code(code: Any) -> str:
    """Returns the name of a status as a context has it: None, an int or a StatusCode."""
    if code is None:
        return StatusCode.OK.name
    return code.name if isinstance(code, StatusCode) else _CODES[code]


def _end_of_cancelled(context: Any) -> str:
    """Returns "CANCELLED" or "DEADLINE_EXCEEDED": gRPC cancels the handler in both cases."""
    left_s = context.time_remaining()
    over = left_s is not None and left_s <= 0
    return (StatusCode.DEADLINE_EXCEEDED if over else StatusCode.CANCELLED).name
