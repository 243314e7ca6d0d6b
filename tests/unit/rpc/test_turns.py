"""Turns are given in order of asking, and given back whatever happens."""

import asyncio

import pytest

from facewire_server.rpc.turns import Turns


async def test_turns_are_given_in_order_of_asking() -> None:
    turns, order = Turns(1), []

    async def one(name: int) -> None:
        async with turns.turn() as waited_s:
            order.append(name)
            assert waited_s >= 0
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for name in range(20):
            tasks.create_task(one(name))
    assert order == list(range(20))


async def test_one_who_gives_up_waiting_takes_no_turn() -> None:
    turns, entered = Turns(1), asyncio.Event()

    async def wait_for_a_turn() -> None:
        async with turns.turn():
            entered.set()

    async with turns.turn():
        waiting = asyncio.ensure_future(wait_for_a_turn())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5), turns.turn():
        assert not entered.is_set()


async def test_a_failure_gives_the_turn_back() -> None:
    turns = Turns(1)
    with pytest.raises(KeyError):
        async with turns.turn():
            raise KeyError
    async with asyncio.timeout(5), turns.turn():
        pass
