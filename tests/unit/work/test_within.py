"""A client that does not read is a slow reader; another time-out is not taken for one."""

import asyncio

import pytest

from facewire_server.errors import SlowReader
from facewire_server.work.within import read_within


async def test_answers_that_are_left_unread_end_the_call() -> None:
    with pytest.raises(SlowReader, match="left unread"):
        async with read_within(0.01):
            await asyncio.Event().wait()


async def test_a_time_out_of_the_writing_itself_is_not_the_readers_fault() -> None:
    with pytest.raises(TimeoutError):
        async with read_within(60):
            raise TimeoutError
