"""Reads the requests of a call up to its half-close, and tells that from a broken call."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import TypeVar

__all__ = ["incoming"]

_SETTLE_S = 0.02
"""How long a call that ended its requests must live on to be believed. A broken one was seen to
be cancelled within 1 ms, also by a deadline."""

RequestT = TypeVar("RequestT")


async def incoming(requests: AsyncIterable[RequestT]) -> AsyncIterator[RequestT]:
    """The requests of a call; ends only when the client has half-closed.

    grpc.aio ends the iterator of a call that broke (cancelled, reset, past its deadline, a message
    above the receive limit) just as that of a half-closed one, and the context says nothing
    about it. What tells them apart comes a moment later: the handler's task is cancelled. So
    after the last request that moment is waited for.
    """
    async for request in requests:
        yield request
    await asyncio.sleep(_SETTLE_S)
