"""Wraps the handler of a method, whatever its arity."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc

__all__ = ["Behavior", "wrapped"]

Behavior: TypeAlias = Callable[[Any, Any], Awaitable[Any]]
"""The function of a handler: takes a request, or an iterator of requests, and the context."""


def wrapped(handler: Any, around: Callable[[Behavior], Behavior]) -> Any:
    """Returns the handler with `around` applied to its behavior, which includes parsing a single request.

    Handlers are coroutines that write through their context, not generators: a cancellation then
    reaches them at their await, and their clean-up does not depend on the garbage collector.
    Generators (of gRPC's own reflection) are returned unchanged, and so is None, no handler.
    """
    if handler is None:
        return None
    arity = "_".join(
        "stream" if streaming else "unary"
        for streaming in (handler.request_streaming, handler.response_streaming)
    )
    behavior: Behavior = getattr(handler, arity)
    if not inspect.iscoroutinefunction(behavior):
        return handler
    parse = handler.request_deserializer
    if not handler.request_streaming and parse is not None:
        # gRPC would parse it before calling the behavior, and would refuse bytes that are not
        # a message with UNKNOWN and the text of its own exception.
        behavior, parse = _parsing(behavior, parse), None
    make = getattr(grpc, f"{arity}_rpc_method_handler")
    return make(around(behavior), parse, handler.response_serializer)


def _parsing(behavior: Behavior, parse: Callable[[bytes], Any]) -> Behavior:
    async def parsed(request: bytes, context: Any) -> Any:
        return await behavior(parse(request), context)

    return parsed
