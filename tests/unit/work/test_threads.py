"""A step in a thread is waited for, withdrawn or reported; never left behind."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from facewire_server.work.threads import run_in_thread


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


class Step:
    """A blocking step that the test holds."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.release = threading.Event(), threading.Event()
        self._error = error

    def __call__(self) -> str:
        self.begun.set()
        assert self.release.wait(10)
        if self._error:
            raise self._error
        return "done"


async def cancelled_while_it_runs(
    threads: ThreadPoolExecutor, step: Step, *, to_its_end: bool
) -> asyncio.Task[str]:
    running = asyncio.create_task(run_in_thread(threads, step, to_its_end=to_its_end))
    await asyncio.to_thread(step.begun.wait)
    for _ in range(2):  # as a time limit and a client may, one after the other
        running.cancel()
        await asyncio.sleep(0)
    assert not running.done()
    step.release.set()
    await asyncio.wait([running], timeout=10)
    return running


async def test_the_outcome_of_a_step_to_its_end_wins_over_a_cancellation(
    threads: ThreadPoolExecutor,
) -> None:
    running = await cancelled_while_it_runs(threads, Step(), to_its_end=True)
    assert running.result() == "done"
    running = await cancelled_while_it_runs(threads, Step(KeyError("full")), to_its_end=True)
    with pytest.raises(KeyError, match="full"):
        running.result()


async def test_another_step_is_waited_for_and_its_caller_stays_cancelled(
    threads: ThreadPoolExecutor,
) -> None:
    running = await cancelled_while_it_runs(threads, Step(), to_its_end=False)
    assert running.cancelled()


async def test_a_step_that_has_not_begun_never_does(threads: ThreadPoolExecutor) -> None:
    first, second = Step(), Step()
    running = asyncio.create_task(run_in_thread(threads, first))
    await asyncio.to_thread(first.begun.wait)
    waiting = asyncio.create_task(run_in_thread(threads, second, to_its_end=True))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting], timeout=10)
    assert waiting.cancelled()
    first.release.set()
    assert await running == "done"
    assert not second.begun.is_set()


async def test_a_time_limit_that_ends_during_a_write_does_not_hide_its_outcome(
    threads: ThreadPoolExecutor,
) -> None:
    step = Step()

    async def release_when_cancelled(task: asyncio.Task[str]) -> None:
        while not task.cancelling():
            await asyncio.sleep(0.001)
        step.release.set()

    async def written() -> str:
        async with asyncio.timeout(0.01):
            return await run_in_thread(threads, step, to_its_end=True)

    task = asyncio.create_task(written())
    await release_when_cancelled(task)
    assert await task == "done"
    assert not task.cancelling()
