"""Wraps the handler of a method, and makes each a coroutine."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from inspect import isasyncgenfunction
from typing import Any, TypeAlias

import grpc

from facewire_server.work.within import read_within

__all__ = ["Behavior", "coroutine_of", "wrapped"]

Behavior: TypeAlias = Callable[[Any, Any], Awaitable[Any]]
"""The function of a handler: takes a request, or an iterator of requests, and the context."""


def coroutine_of(handler: Any, slow_reader_timeout_s: float) -> Behavior:
    """Returns the function of a handler as a coroutine that writes through its context.

    A cancellation reaches a coroutine at its await, and its clean-up does not depend on the garbage
    collector. A single answer, and those of gRPC's own reflection, which is a generator, are written here: the
    coroutine waits for at most `slow_reader_timeout_s` while the client does not read, and raises SlowReader.
    """
    behavior: Any = getattr(handler, _arity(handler))

    async def answering(request: Any, context: Any) -> None:
        answer = await behavior(request, context)
        async with read_within(slow_reader_timeout_s):
            # By itself: if a first write with it is cut off, gRPC cannot send the status either.
            await context.send_initial_metadata(())
            await context.write(answer)

    async def writing(requests: Any, context: Any) -> None:
        async with aclosing(behavior(requests, context)) as responses:
            async for response in responses:
                async with read_within(slow_reader_timeout_s):
                    await context.write(response)

    if isasyncgenfunction(behavior):
        return writing
    coroutine: Behavior = behavior if handler.response_streaming else answering
    return coroutine


def wrapped(handler: Any, around: Callable[[Behavior], Behavior]) -> Any:
    """Returns the handler, one of a stream of bytes, with `around` applied to its function; None for no handler."""
    if handler is None:
        return None
    arity = _arity(handler)
    make = getattr(grpc, f"{arity}_rpc_method_handler")
    return make(around(getattr(handler, arity)), None, handler.response_serializer)


def _arity(handler: Any) -> str:
    return "_".join(
        "stream" if streaming else "unary"
        for streaming in (handler.request_streaming, handler.response_streaming)
    )
