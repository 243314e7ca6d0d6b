"""A slot is waited for in turn, and released whatever happens. Who has the next turn: test_fair_turns."""

import asyncio
import threading
import time

import pytest

from facewire_server.errors import TimedOut
from facewire_server.work.breadth import is_alone
from facewire_server.work.slots import Flow, SlotStatistics, WorkSlots


async def test_within_a_flow_slots_are_granted_in_fifo_order() -> None:
    slots, order = WorkSlots(1), []

    async def one(name: int) -> None:
        async with slots.slot() as slot:
            order.append(name)
            assert slot.waited_s >= 0
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for name in range(20):
            tasks.create_task(one(name))
    assert order == list(range(20))


async def test_a_slot_says_how_long_it_was_waited_for() -> None:
    slots, asked = WorkSlots(1), asyncio.Event()

    async def wait_for_a_slot() -> tuple[float, float]:
        asked_at_s = time.perf_counter()
        asked.set()
        async with slots.slot() as slot:
            return slot.waited_s, time.perf_counter() - asked_at_s

    async with slots.slot():
        waiting = asyncio.ensure_future(wait_for_a_slot())
        await asked.wait()
        held_from_s = time.perf_counter()
        await asyncio.to_thread(threading.Event().wait, 0.02)
        held_s = time.perf_counter() - held_from_s
    waited_s, most_s = await waiting
    assert held_s <= waited_s <= most_s


async def test_only_a_call_that_works_alone_may_use_all_processors() -> None:
    slots = WorkSlots(3)
    assert is_alone(), "what is done without a slot holds up no picture"
    async with slots.slot():
        assert is_alone()
        async with asyncio.timeout(5), slots.picture():
            assert not is_alone()
        assert is_alone()
    assert is_alone()


async def test_a_frame_never_uses_all_processors() -> None:
    slots = WorkSlots(3)
    with slots.stream("client") as flow:
        async with slots.slot(flow):
            assert not is_alone()


async def test_a_step_in_a_task_of_its_own_knows_whether_the_picture_is_alone() -> None:
    slots = WorkSlots(3)
    begun, other_is_there, seen = asyncio.Event(), asyncio.Event(), []

    async def step() -> None:
        seen.append(is_alone())
        begun.set()
        await other_is_there.wait()
        seen.append(is_alone())

    async with slots.slot():
        working = asyncio.ensure_future(step())
        await begun.wait()

        async def other() -> None:
            async with slots.slot():
                other_is_there.set()
                await working

        async with asyncio.timeout(5):
            await asyncio.create_task(other())
    assert seen == [True, False]


async def test_a_cancelled_waiter_takes_no_slot() -> None:
    slots, entered = WorkSlots(1), asyncio.Event()

    async def wait_for_a_slot() -> None:
        async with slots.slot():
            entered.set()

    async with slots.slot():
        waiting = asyncio.ensure_future(wait_for_a_slot())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5), slots.slot():
        assert not entered.is_set()


async def test_a_failure_releases_the_slot() -> None:
    slots = WorkSlots(1)
    with pytest.raises(KeyError):
        async with slots.slot():
            raise KeyError
    async with asyncio.timeout(5), slots.slot():
        pass


async def test_statistics_count_what_is_held_and_what_waits() -> None:
    slots = WorkSlots(2)
    release = asyncio.Event()

    async def hold(flow: Flow | None) -> None:
        async with slots.slot(flow):
            await release.wait()

    first, second = Flow(), Flow()
    flows = (first, first, second, second, None)
    tasks = [asyncio.ensure_future(hold(flow)) for flow in flows]
    await asyncio.sleep(0)
    assert slots.statistics() == SlotStatistics(
        count=2, in_use=2, waiting_streams=1, waiting_calls=1
    )
    release.set()
    await asyncio.gather(*tasks)
    assert slots.statistics() == SlotStatistics(
        count=2, in_use=0, waiting_streams=0, waiting_calls=0
    )


async def test_a_picture_is_timed_out_also_while_it_waits() -> None:
    slots = WorkSlots(1, picture_timeout_s=0.01)
    async with slots.slot():
        with pytest.raises(TimedOut):
            async with slots.picture():
                pass
    assert slots.statistics().waiting_calls == 0
