"""Works that run together: the first error ends all, and no cancellation is lost."""

import asyncio
import contextlib

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


async def test_a_cancellation_that_was_lost_is_heeded() -> None:
    went_on = False

    async def publishing() -> None:
        nonlocal went_on
        with contextlib.suppress(asyncio.CancelledError):  # as `wait_for` of Python 3.11 does
            await asyncio.Event().wait()
        heed_cancellation()
        went_on = True

    task = asyncio.create_task(publishing())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert not went_on
