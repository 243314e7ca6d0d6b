"""Steps run in threads, their time is kept, and none is left behind."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from facewire_server.work.clock import Clock


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


async def test_the_time_of_a_stage_adds_up(threads: ThreadPoolExecutor) -> None:
    clock = Clock(threads)
    for _ in range(2):
        assert await clock.run("decode", threading.Event().wait, 0.02) is False
    timings = clock.timings(waited_s=1.0)
    assert timings.decode_s >= 0.04
    assert timings.queue_s == 1.0
    assert timings.total_s >= 1.0 + timings.decode_s


async def test_a_stage_has_a_beginning_and_an_end(threads: ThreadPoolExecutor) -> None:
    clock = Clock(threads)
    before_s = time.perf_counter()
    with clock.stage("detect"):
        await clock.run("decode", threading.Event().wait, 0.01)
    after_s = time.perf_counter()
    with pytest.raises(ZeroDivisionError), clock.stage("embed"):
        1 // 0  # noqa: B018
    inner, outer = clock.stages
    assert (inner.name, outer.name) == ("decode", "detect")
    assert before_s <= outer.started_s <= inner.started_s
    assert inner.started_s + 0.01 <= inner.ended_s <= outer.ended_s <= after_s


async def test_a_stage_counts_its_block_waiting_included(threads: ThreadPoolExecutor) -> None:
    clock = Clock(threads)
    for _ in range(2):
        with clock.stage("detect"):
            await asyncio.to_thread(threading.Event().wait, 0.02)
    timings = clock.timings()
    assert timings.detect_s >= 0.04
    # The stages of a picture that does nothing else are within its whole time.
    assert timings.total_s >= timings.detect_s


def test_the_whole_time_begins_with_the_picture_not_with_the_machine(
    threads: ThreadPoolExecutor,
) -> None:
    before_s = time.perf_counter()
    clock = Clock(threads)
    assert clock.timings().total_s <= time.perf_counter() - before_s


async def test_a_step_that_fails_tells_why(threads: ThreadPoolExecutor) -> None:
    with pytest.raises(ZeroDivisionError):
        await Clock(threads).run("decode", lambda: 1 // 0)


async def test_who_is_cancelled_waits_for_the_step_under_way(threads: ThreadPoolExecutor) -> None:
    begun, release = threading.Event(), threading.Event()

    def step() -> None:
        begun.set()
        release.wait(10)

    running = asyncio.create_task(Clock(threads).run("decode", step))
    await asyncio.to_thread(begun.wait)
    waiting = asyncio.create_task(Clock(threads).run("decode", begun.clear))
    await asyncio.sleep(0)
    running.cancel()
    waiting.cancel()
    done, _ = await asyncio.wait(
        [running, waiting], timeout=10, return_when=asyncio.FIRST_COMPLETED
    )
    assert done == {waiting}, "a step that has not begun never does"
    running.cancel()  # as a time limit and a client may, one after the other
    await asyncio.sleep(0.02)
    assert not running.done()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert begun.is_set()
