"""A step in a thread is waited for, withdrawn or reported; never left behind."""

import asyncio
import gc
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


async def cancelled_while_it_runs(threads: ThreadPoolExecutor, step: Step) -> asyncio.Task[str]:
    running = asyncio.create_task(run_in_thread(threads, step))
    await asyncio.to_thread(step.begun.wait)
    for _ in range(2):  # as a time limit and a client may, one after the other
        running.cancel()
        await asyncio.sleep(0)
    assert not running.done()
    step.release.set()
    await asyncio.wait([running], timeout=10)
    return running


async def test_a_step_is_waited_for_and_its_caller_stays_cancelled(
    threads: ThreadPoolExecutor,
) -> None:
    running = await cancelled_while_it_runs(threads, Step())
    assert running.cancelled()


async def test_a_step_that_has_not_begun_never_does(threads: ThreadPoolExecutor) -> None:
    first, second = Step(), Step()
    running = asyncio.create_task(run_in_thread(threads, first))
    await asyncio.to_thread(first.begun.wait)
    waiting = asyncio.create_task(run_in_thread(threads, second))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting], timeout=10)
    assert waiting.cancelled()
    first.release.set()
    assert await running == "done"
    assert not second.begun.is_set()


async def test_an_error_whose_caller_went_away_is_not_reported_as_forgotten(
    threads: ThreadPoolExecutor,
) -> None:
    reported: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["message"]))
    running = await cancelled_while_it_runs(threads, Step(KeyError("damaged")))
    assert running.cancelled()
    del running
    gc.collect()  # asyncio reports when it frees a future whose error no caller has looked at
    assert reported == []
