"""The end of the requests is believed only when the call lives on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from facewire_server.rpc.incoming import incoming


async def requests_that_end(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def test_requests_come_through_in_order() -> None:
    assert [number async for number in incoming(requests_that_end(5))] == list(range(5))


async def test_a_call_that_broke_never_sees_an_end() -> None:
    """grpc.aio ends the iterator of a broken call, and cancels its handler a moment later."""
    believed = False

    async def handler() -> None:
        nonlocal believed
        async for _ in incoming(broken()):
            pass
        believed = True

    async def broken() -> AsyncIterator[int]:
        yield 1
        asyncio.get_running_loop().call_later(0.001, call.cancel)

    call = asyncio.ensure_future(handler())
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not believed
