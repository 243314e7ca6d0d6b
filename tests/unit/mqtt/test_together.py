"""Works that run together: the first error ends all, and no cancellation is lost."""

import asyncio

import pytest

from facewire._mqtt.together import first_of, heed_cancellation


async def test_the_first_error_ends_the_others() -> None:
    ended = asyncio.Event()

    async def waiting() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ValueError("as scripted")

    with pytest.raises(ValueError, match="as scripted"):
        await first_of(waiting(), failing())
    assert ended.is_set()


async def test_a_cancellation_that_comes_with_the_acknowledgment_is_heeded() -> None:
    """The race of a stop with the broker's acknowledgment, made certain; `wait_for` of Python 3.11 returns then."""
    acknowledged, went_on = asyncio.Event(), False

    async def publishing() -> None:
        nonlocal went_on
        await asyncio.wait_for(acknowledged.wait(), 60)
        heed_cancellation()
        went_on = True

    task = asyncio.create_task(publishing())
    while not acknowledged._waiters:  # until it waits
        await asyncio.sleep(0)
    acknowledged.set()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not went_on
