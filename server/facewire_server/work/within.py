"""Bounds the time that a client may leave its answers unread."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from facewire_server.errors import SlowReader

__all__ = ["read_within"]


@asynccontextmanager
async def read_within(seconds: float) -> AsyncIterator[None]:
    """Bounds the time of the block, which writes to a client and waits while the client does not read.

    Raises:
        SlowReader: the block takes longer than `seconds`.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if limit.expired():
            raise SlowReader(f"the answers were left unread for {seconds:g} s") from None
        raise
