"""Admits calls: none takes a place that others need before it has shown a token and a request.

gRPC calls the handler of a single request after the request has come, and the handler of a stream at once. So every
method is served by a handler of streams here, which reads the requests as bytes: in time, no larger than
the method's, and parsed after that only. It writes a single answer, too, so that a call keeps its place until
its client has taken the answer, or has left it unread for too long.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import grpc
from grpc import aio

from facewire_server.errors import RequestTooLarge, TimedOut, TooManyCalls
from facewire_server.events import CallRefused, Emit, ignore
from facewire_server.rpc.handlers import Behavior, coroutine_of
from facewire_server.rpc.method_rules import MethodRule, method_rules
from facewire_server.rpc.places import Places, WaitingRoom
from facewire_server.rpc.requests import Requests
from facewire_server.streams.limits import ServingLimits
from facewire_server.work.held_bytes import ByteBudget

__all__ = ["AdmissionInterceptor"]

_MAX_OPEN_WAITING: Final = 32
"""Calls of health that wait for their request. Each may hold as many bytes as the largest message until its deadline,
and needs no token; with too few of them a flood of silent calls would drop honest ones. Chosen, not measured."""

_FREE_BYTES: Final = 64 << 10
"""Bytes of a request that is not counted, so that a full budget of pictures refuses no call without one. Chosen, not measured:
the most calls in progress, 128 by default, hold 8 MB of such."""


class AdmissionInterceptor(aio.ServerInterceptor):
    """To be the innermost interceptor: behind the one that checks the token.

    Attributes:
        places: the calls in progress.
    """

    def __init__(
        self, max_calls: int, limits: ServingLimits, call_bytes: ByteBudget, emit: Emit = ignore
    ) -> None:
        """Prepares the limits.

        Args:
            max_calls: most calls in progress, and most that wait for their request; without those of health.
            limits: what a client may ask for.
            call_bytes: of the single requests of calls in progress.
            emit: takes a `CallRefused` for each call that is refused here.
        """
        most_others = max(1, max_calls - limits.max_streams)
        self.places = Places(max_calls, most_others, limits.max_calls_per_connection)
        self._call_bytes = call_bytes
        self._rules = method_rules(limits)
        self._waiting = WaitingRoom(max_calls)
        self._open_waiting = WaitingRoom(_MAX_OPEN_WAITING)
        self._slow_reader_timeout_s = limits.slow_reader_timeout_s
        self._emit = emit

    def drain(self) -> None:
        """Ends the calls that wait for their request; health stays available."""
        self._waiting.close()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Returns the method's handler as one of streams, which takes bytes."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        path = handler_call_details.method
        admitted = self._admitted(path, self._rules[path], handler)
        return grpc.stream_stream_rpc_method_handler(admitted, None, handler.response_serializer)

    def _admitted(self, path: str, rule: MethodRule, handler: Any) -> Behavior:
        behavior = coroutine_of(handler, self._slow_reader_timeout_s)
        room = self._open_waiting if rule.is_open else self._waiting
        places = None if rule.is_open else self.places

        async def admitted(_: Any, context: Any) -> None:
            requests = Requests(context.read, rule, handler.request_deserializer)
            try:
                if places is not None:
                    places.join(context)
                first = await room.wait(context.peer(), requests.first(), rule.first_timeout_s)
                if places is not None:
                    places.take(is_camera=rule.is_camera)
            except (TimedOut, TooManyCalls, RequestTooLarge) as error:
                self._emit(CallRefused(path, context.peer(), type(error)))
                raise
            try:
                if rule.is_streaming:
                    await behavior(requests.since(first), context)
                    return
                with self._held(requests.first_bytes):
                    await behavior(first, context)
            finally:
                if places is not None:
                    places.leave(is_camera=rule.is_camera)

        return admitted

    def _held(self, request_bytes: int) -> AbstractContextManager[None]:
        """Raises TooManyCalls: the requests of other calls fill the budget."""
        if request_bytes <= _FREE_BYTES:
            return nullcontext()
        return self._call_bytes.held(request_bytes)
