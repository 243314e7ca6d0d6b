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
        assert await clock.run("decode_s", threading.Event().wait, 0.02) is False
    assert clock.timings.decode_s >= 0.04
    assert clock.stop().total_s >= clock.timings.decode_s


async def test_a_stage_counts_its_block_waiting_included(threads: ThreadPoolExecutor) -> None:
    clock = Clock(threads)
    for _ in range(2):
        with clock.stage("detect_s"):
            await asyncio.to_thread(threading.Event().wait, 0.02)
    assert clock.timings.detect_s >= 0.04
    # The stages of a picture that does nothing else are within its whole time.
    assert clock.stop().total_s >= clock.timings.detect_s


def test_the_whole_time_begins_with_the_picture_not_with_the_machine(
    threads: ThreadPoolExecutor,
) -> None:
    before_s = time.perf_counter()
    clock = Clock(threads)
    assert clock.stop().total_s <= time.perf_counter() - before_s


async def test_a_step_that_fails_tells_why(threads: ThreadPoolExecutor) -> None:
    with pytest.raises(ZeroDivisionError):
        await Clock(threads).run("decode_s", lambda: 1 // 0)


async def test_who_is_cancelled_waits_for_the_step_under_way(threads: ThreadPoolExecutor) -> None:
    begun, release = threading.Event(), threading.Event()

    def step() -> None:
        begun.set()
        release.wait(10)

    running = asyncio.create_task(Clock(threads).run("decode_s", step))
    await asyncio.to_thread(begun.wait)
    waiting = asyncio.create_task(Clock(threads).run("decode_s", begun.clear))
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
