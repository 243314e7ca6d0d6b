"""Reads the first message of a stream: its plan, within a time limit, for a gallery that can be searched."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from facewire_server.errors import OutOfOrder, TimedOut
from facewire_server.streams.values import StreamInput, StreamPlan

__all__ = ["read_plan"]


async def read_plan(
    inputs: AsyncIterator[StreamInput],
    check_gallery: Callable[[str], Awaitable[None]],
    *,
    timeout_s: float,
) -> StreamPlan:
    """Reads and checks the plan.

    Raises:
        TimedOut: no plan came within `timeout_s`: silent streams would keep others out.
        OutOfOrder: the first message is not a plan, or the stream ended without one.
        GalleryNotFound, ModelContractMismatch: as `check_gallery`.
    """
    try:
        async with asyncio.timeout(timeout_s):
            plan = await anext(inputs, None)
    except TimeoutError:
        raise TimedOut(f"no config came within {timeout_s:g} s") from None
    if not isinstance(plan, StreamPlan):
        raise OutOfOrder("the first message of a stream carries its config")
    await check_gallery(plan.gallery_id)
    return plan
