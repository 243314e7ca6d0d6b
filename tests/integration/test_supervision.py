"""The parent of the workers: what it does when they die, hang, cannot run or are replaced. The workers are small programs."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from facewire_server.events import (
    Event,
    WorkerDied,
    WorkerServes,
    WorkersGivenUp,
    WorkersReplaced,
)
from facewire_server.host.signals import Signals
from facewire_server.workers import deaths, supervision
from facewire_server.workers.deaths import EXIT_GIVEN_UP
from facewire_server.workers.hanging import end_if_it_hangs, end_if_its_start_hangs
from facewire_server.workers.process import WorkerProcess
from facewire_server.workers.supervision import Supervisor
from facewire_server.workers.table import Slot, Table, slots_of
from fakes.python import PATHS

OBEDIENT = """
import json, socket, sys
parent = socket.socket(fileno=int(sys.argv[1])).makefile("rwb")
parent.write(b'"serves"\\n'); parent.flush()
for line in parent:
    if json.loads(line) != "reload":
        sys.exit()
"""
DEAF = "import signal, socket, sys\nsocket.socket(fileno=int(sys.argv[1])).send(b'\"serves\"\\n')\nsignal.pause()"
DYING = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
REFUSING = "import sys; sys.exit(1)"
HANGING = "import signal; signal.pause()"
FAINTING = (
    "import os, signal, socket, sys\n"
    "socket.socket(fileno=int(sys.argv[1])).send(b'\"serves\"\\n')\n"
    "os.kill(os.getpid(), signal.SIGKILL)"
)


class Run:
    """A supervisor under test: its events, and the signals that stop it."""

    def __init__(self, *, drain_s: float = 0.0) -> None:
        self.program = OBEDIENT
        self.signals = Signals()
        self.events: list[Event] = []
        self.started: list[WorkerProcess] = []
        self.serves = asyncio.Event()
        self.changed = asyncio.Event()
        self.table = Table(slots_of(2))
        self.supervisor = Supervisor(
            self._start,
            2,
            table=self.table,
            lame_duck_s=0.0,
            drain_s=drain_s,
            emit=self._emit,
        )

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self.changed.set()

    async def _start(self, slot: int) -> WorkerProcess:
        command = (sys.executable, "-c", self.program)
        self.started.append(await WorkerProcess.start(command, os.environ, 2))
        return self.started[-1]

    def those(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self.changed.clear()
            await self.changed.wait()

    def running(self) -> list[WorkerProcess]:
        return [one for one in self.started if not one.ended.done()]


@asynccontextmanager
async def supervised(run: Run, status: int = 0) -> AsyncIterator[asyncio.Task[int]]:
    task = asyncio.create_task(run.supervisor.run(run.signals, run.serves.set))
    try:
        yield task
        run.signals.stop.set()
        assert await task == status
        assert not run.running()
    finally:
        for one in run.running():
            one.kill()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deaths, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(supervision, "FIRST_PAUSE_S", 0.001)


async def test_a_worker_that_is_killed_is_replaced() -> None:
    run = Run()
    async with supervised(run):
        await run.serves.wait()
        first = run.started[0]
        os.kill(first.pid, signal.SIGKILL)
        await run.until(lambda: len(run.those(WorkerServes)) == 3)
        assert run.those(WorkerDied) == [WorkerDied(first.pid, -9, True, False, 0.001)]
        assert len(run.running()) == 2


async def test_a_worker_whose_event_loop_hangs_is_ended_and_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = partial(end_if_it_hangs, look_every_s=0.01)
    monkeypatch.setattr(supervision, "end_if_it_hangs", at_once)
    run = Run()

    async def beat() -> None:
        while True:
            Slot(run.table, 1).beat()
            await asyncio.sleep(0.005)

    beating = asyncio.create_task(beat())
    async with supervised(run):
        await run.until(lambda: len(run.those(WorkerDied)) > 0)
        first, second, *_ = run.started
        event = run.those(WorkerDied)[0]
        assert (event.pid, event.hung, event.served) == (first.pid, True, True)
        await run.until(lambda: len(run.those(WorkerServes)) > 2)
        assert second in run.running()
    beating.cancel()


def look_quickly(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the parent lose its patience at once, but only with a program that hangs: another one may be slow to start."""

    async def quick(worker: WorkerProcess, beats: Callable[[], int]) -> bool:
        every_s = 0.01 if run.program == HANGING else 2.0
        return await end_if_its_start_hangs(worker, beats, look_every_s=every_s)

    monkeypatch.setattr(supervision, "end_if_its_start_hangs", quick)


async def test_workers_that_hang_before_they_serve_are_ended_and_stop_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run()
    look_quickly(run, monkeypatch)
    run.program = HANGING
    async with supervised(run, EXIT_GIVEN_UP) as task:
        assert await task == EXIT_GIVEN_UP
        died = run.those(WorkerDied)
        assert {(one.status, one.served, one.hung) for one in died} == {(-9, False, True)}
        assert not run.serves.is_set()


async def test_a_new_worker_that_hangs_before_it_serves_replaces_none_and_the_next_signal_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run()
    look_quickly(run, monkeypatch)
    async with supervised(run):
        await run.serves.wait()
        before = run.running()
        for program, replaced in ((HANGING, 0), (OBEDIENT, 2)):
            run.program = program
            count = len(run.those(WorkersReplaced))
            run.signals.replace.set()
            await run.until(lambda: len(run.those(WorkersReplaced)) > count)  # noqa: B023 - awaited here
            event = run.those(WorkersReplaced)[-1]
            assert (event.replaced_count, "hung" in event.error) == (replaced, program == HANGING)
            assert (run.running() == before) == (program == HANGING)


async def test_workers_of_one_place_that_die_soon_after_they_serve_stop_the_server() -> None:
    run = Run()
    async with supervised(run, EXIT_GIVEN_UP) as task:
        await run.serves.wait()
        run.program = FAINTING
        os.kill(run.started[0].pid, signal.SIGKILL)
        assert await task == EXIT_GIVEN_UP
        assert [one.served for one in run.those(WorkerDied)] == [True] * 10
        assert run.those(WorkersGivenUp) == [WorkersGivenUp(10)]
        assert run.supervisor.deaths.count == 10


async def test_a_system_without_a_process_for_a_worker_is_asked_again_and_counts_as_no_death(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run()
    start, refusals = WorkerProcess.start, 0

    async def refused(*arguments: Any) -> WorkerProcess:
        nonlocal refusals
        if len(run.started) == 2 and refusals < 12:
            refusals += 1
            raise BlockingIOError(11, "no process")
        return await start(*arguments)

    async with supervised(run):
        await run.serves.wait()
        monkeypatch.setattr(WorkerProcess, "start", refused)
        os.kill(run.started[0].pid, signal.SIGKILL)
        await run.until(lambda: len(run.those(WorkerServes)) == 3)
        assert (refusals, len(run.those(WorkerDied)), run.supervisor.deaths.count) == (12, 1, 1)


async def test_a_worker_that_ends_by_itself_is_replaced() -> None:
    run = Run()
    async with supervised(run):
        await run.serves.wait()
        run.started[1].order("stop")  # as a SIGTERM to it would have it end
        await run.until(lambda: len(run.those(WorkerServes)) == 3)
        assert [event.status for event in run.those(WorkerDied)] == [0]


async def test_workers_that_die_again_and_again_before_they_serve_stop_the_server() -> None:
    run = Run()
    run.program = DYING
    async with supervised(run, EXIT_GIVEN_UP) as task:
        assert await task == EXIT_GIVEN_UP
        assert run.those(WorkersGivenUp) == [WorkersGivenUp(5)]
        assert not run.serves.is_set()


async def test_one_place_that_cannot_be_filled_stops_the_server_too() -> None:
    run = Run()
    async with supervised(run, EXIT_GIVEN_UP) as task:
        await run.serves.wait()
        run.program = DYING
        os.kill(run.started[0].pid, signal.SIGKILL)
        assert await task == EXIT_GIVEN_UP


async def test_a_server_that_cannot_run_ends_as_one_of_one_process_does() -> None:
    run = Run()
    run.program = REFUSING
    async with supervised(run, 1) as task:
        assert await task == 1
        assert len(run.started) <= 4, "it was not tried again and again"


async def test_a_worker_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_STOP_S", 0.01)
    run = Run()
    run.program = DEAF
    async with supervised(run, 3):
        await run.serves.wait()


async def test_a_second_signal_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(drain_s=10**6)
    run.program = DEAF
    async with supervised(run, 3) as task:
        await run.serves.wait()
        run.signals.stop.set()
        await asyncio.wait((task,), timeout=0.01)
        assert len(run.running()) == 2
        run.supervisor._drain_s = 0.01
        monkeypatch.setattr(supervision, "_STOP_S", 0.0)
        run.signals.at_once.set()
        await task


async def test_all_are_replaced_and_never_fewer_serve_than_before() -> None:
    run = Run()
    fewest = 2

    def watch() -> None:
        nonlocal fewest
        fewest = min(fewest, sum(one.serves.is_set() for one in run.running()))

    async with supervised(run):
        await run.serves.wait()
        before = {one.pid for one in run.running()}
        for one in run.started:
            one.ended.add_done_callback(lambda _: watch())
        run.signals.replace.set()
        await run.until(lambda: bool(run.those(WorkersReplaced)))
        assert run.those(WorkersReplaced) == [WorkersReplaced(2, "")]
        assert not before & {one.pid for one in run.running()}
        assert fewest == 2
        assert not run.those(WorkerDied)


async def test_a_new_worker_that_does_not_serve_replaces_none() -> None:
    run = Run()
    async with supervised(run):
        await run.serves.wait()
        before = {one.pid for one in run.running()}
        run.program = REFUSING
        run.signals.replace.set()
        await run.until(lambda: bool(run.those(WorkersReplaced)))
        assert run.those(WorkersReplaced) == [
            WorkersReplaced(0, "the new worker ended with status 1")
        ]
        assert {one.pid for one in run.running()} == before


def test_the_parent_loads_no_engine_no_grpc_and_no_lmdb() -> None:
    code = (
        "import sys, facewire_server.__main__, facewire_server.workers.serving\n"
        "print([name for name in ('grpc', 'lmdb', 'openvino', 'cv2', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
