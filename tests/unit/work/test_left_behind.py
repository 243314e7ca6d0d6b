"""A caller whose deadline passes goes on at once, and the work ends by itself; at most a given number of times."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from facewire_server.errors import TimedOut
from facewire_server.work.deadline import time_limit
from facewire_server.work.left_behind import LeftBehind
from facewire_server.work.slots import Flow, WorkSlots
from facewire_server.work.threads import run_in_thread


async def ended(left: LeftBehind) -> None:
    async with asyncio.timeout(30):
        while left.count:
            await asyncio.sleep(0.001)


async def test_at_the_deadline_the_caller_goes_and_the_thread_stays() -> None:
    left, busy, end = LeftBehind(1), threading.Event(), threading.Event()
    held: list[str] = []

    async def work() -> None:
        held.append("memory")
        try:
            await run_in_thread(threads, decode)
        finally:
            held.pop()

    def decode() -> None:
        busy.set()
        assert end.wait(30)

    with ThreadPoolExecutor(1) as threads:
        with pytest.raises(TimedOut):
            async with time_limit(0.05):
                await left.run(work())
        assert busy.is_set()
        assert left.count == 1
        assert held == ["memory"]
        end.set()
        await ended(left)
        assert held == []


async def test_beyond_the_most_a_caller_waits_for_its_thread() -> None:
    left, end = LeftBehind(1), threading.Event()

    def decode() -> None:
        assert end.wait(30)

    async def picture() -> None:
        async with time_limit(0.05):
            await left.run(run_in_thread(threads, decode))

    with ThreadPoolExecutor(2) as threads:
        pictures = [asyncio.ensure_future(picture()) for _ in range(2)]
        done, pending = await asyncio.wait(pictures, return_when=asyncio.FIRST_COMPLETED)
        assert (len(done), len(pending), left.count) == (1, 1, 1)
        end.set()
        results = await asyncio.gather(*pictures, return_exceptions=True)
        assert [type(result) for result in results] == [TimedOut, TimedOut]
        await ended(left)


async def test_a_caller_that_is_cancelled_before_its_deadline_waits() -> None:
    left, busy, end = LeftBehind(1), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def decode() -> None:
        loop.call_soon_threadsafe(busy.set)
        assert end.wait(30)

    with ThreadPoolExecutor(1) as threads:
        async with time_limit(60):
            caller = asyncio.ensure_future(left.run(run_in_thread(threads, decode)))
            await busy.wait()
            caller.cancel()
            for _ in range(10):
                await asyncio.sleep(0)
            assert not caller.done()
            assert left.count == 0
            end.set()
            with pytest.raises(asyncio.CancelledError):
                await caller


async def test_a_caller_that_is_cancelled_early_goes_at_its_deadline() -> None:
    left, slots, busy, end = LeftBehind(1), WorkSlots(1), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def decode() -> None:
        loop.call_soon_threadsafe(busy.set)
        assert end.wait(30)

    async def picture() -> None:
        async with slots.slot(Flow()), time_limit(1.0):
            await left.run(run_in_thread(threads, decode))

    with ThreadPoolExecutor(1) as threads:
        caller = asyncio.ensure_future(picture())
        await busy.wait()
        caller.cancel()
        try:
            await asyncio.wait([caller], timeout=30)
            assert caller.cancelled()
            assert left.count == 1, "the thread goes on"
            assert slots.statistics().in_use == 0
        finally:
            end.set()
        await ended(left)


async def test_results_and_failures_are_the_works_own() -> None:
    left = LeftBehind(1)

    async def fails() -> None:
        raise KeyError("x")

    assert await left.run(asyncio.sleep(0, "result")) == "result"
    with pytest.raises(KeyError):
        await left.run(fails())
