"""WorkSlots are given in order of asking, and given back whatever happens."""

import asyncio

import pytest

from facewire_server.work.slots import WorkSlots


async def test_turns_are_given_in_order_of_asking() -> None:
    turns, order = WorkSlots(1), []

    async def one(name: int) -> None:
        async with turns.slot() as waited_s:
            order.append(name)
            assert waited_s >= 0
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for name in range(20):
            tasks.create_task(one(name))
    assert order == list(range(20))


async def test_one_who_gives_up_waiting_takes_no_turn() -> None:
    turns, entered = WorkSlots(1), asyncio.Event()

    async def wait_for_a_turn() -> None:
        async with turns.slot():
            entered.set()

    async with turns.slot():
        waiting = asyncio.ensure_future(wait_for_a_turn())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5), turns.slot():
        assert not entered.is_set()


async def test_a_failure_gives_the_turn_back() -> None:
    turns = WorkSlots(1)
    with pytest.raises(KeyError):
        async with turns.slot():
            raise KeyError
    async with asyncio.timeout(5), turns.slot():
        pass
