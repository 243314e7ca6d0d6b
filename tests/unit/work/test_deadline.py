"""A picture has a time limit, and every task that works on it knows what is left."""

import asyncio
import contextlib

import pytest

from facewire_server.errors import TimedOut
from facewire_server.work.deadline import remaining_s, time_limit


async def test_what_takes_too_long_is_timed_out() -> None:
    with pytest.raises(TimedOut):
        async with time_limit(0.01):
            await asyncio.Event().wait()


async def test_a_time_out_of_the_work_itself_is_not_the_limit() -> None:
    with pytest.raises(TimeoutError):
        async with time_limit(5):
            raise TimeoutError


async def test_where_there_is_no_limit_nothing_is_left_to_know() -> None:
    async with time_limit(5):
        pass
    assert remaining_s() is None


async def test_a_task_started_by_the_work_knows_what_is_left() -> None:
    async def ask() -> float | None:
        return remaining_s()

    async with time_limit(5):
        left = await asyncio.ensure_future(ask())
        assert left is not None
        assert 0 < left <= 5


async def test_an_inner_limit_cannot_outlast_the_outer_one() -> None:
    async with time_limit(5), time_limit(500):
        assert (remaining_s() or 0) <= 5
    async with time_limit(500):
        async with time_limit(5):
            assert (remaining_s() or 0) <= 5
        assert (remaining_s() or 0) > 400


async def test_what_is_left_is_never_less_than_nothing() -> None:
    """A backend passes it on as a timeout, and some take a negative one for none."""
    left = None
    with contextlib.suppress(TimedOut):
        async with time_limit(0):
            left = remaining_s()
    assert left == 0.0
