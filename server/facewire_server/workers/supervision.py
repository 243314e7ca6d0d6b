"""Starts the workers, replaces those that die, and stops all: the life of their parent."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from facewire_server.events import (
    Emit,
    WorkerServes,
    WorkersReplaced,
)
from facewire_server.host.ending import EXIT_FORCED
from facewire_server.host.signals import Signals
from facewire_server.workers.deaths import FIRST_PAUSE_S, Deaths, longer
from facewire_server.workers.hanging import end_if_it_hangs, end_if_its_start_hangs
from facewire_server.workers.orders import RELOAD, STOP, STOP_AT_ONCE
from facewire_server.workers.process import WorkerProcess
from facewire_server.workers.table import Table

__all__ = ["Supervisor"]

_STOP_S: Final = 15.0
"""Seconds beyond `lame_duck_s` and `drain_s` after which a worker is killed: five more than it has to end by itself."""


class Supervisor:
    """The workers of one server.

    Attributes:
        deaths: of workers that ended without being asked to.
    """

    def __init__(
        self,
        start: Callable[[int], Awaitable[WorkerProcess]],
        count: int,
        *,
        table: Table,
        lame_duck_s: float,
        drain_s: float,
        emit: Emit,
    ) -> None:
        """Starts nothing yet.

        Args:
            start: starts a worker with this slot.
            count: of workers.
            table: of their streams, with `slots_of(count)`.
            lame_duck_s, drain_s: that a worker takes to end.
            emit: takes what happens to workers.
        """
        self._start = start
        self._count = count
        self._lame_duck_s = lame_duck_s
        self._drain_s = drain_s
        self._emit = emit
        self._places: list[WorkerProcess] = []
        self._all: dict[WorkerProcess, int] = {}  # with the slot of each
        self._table = table
        self._free_slots = list(range(table.slot_count))
        self._ended_metrics: dict[int, str] = {}
        self.deaths = Deaths(lambda: any(one.serves.is_set() for one in self._all), emit)

    async def run(self, signals: Signals, serves: Callable[[], None]) -> int:
        """Runs the workers until a signal stops them; returns the exit status.

        Args:
            signals: of this process.
            serves: called once, when all take calls.
        """
        tasks: list[asyncio.Task[None]] = []
        stopping = asyncio.create_task(self._stop_or_failure(signals.stop))
        try:
            for _ in range(self._count):
                self._places.append(await self._started())
            work = [
                self._say_when_all_serve(serves),
                self._reload_on(signals.reload),
                self._replace_on(signals.replace),
                *(self._keep(place) for place in range(self._count)),
            ]
            tasks = [asyncio.create_task(each) for each in work]
            await asyncio.wait((stopping, *tasks[1:]), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopping, *tasks):
                task.cancel()
            status = await self._stop_all(signals)
        for task in tasks:
            if not task.cancelled():
                await task  # raises its failure
        return self.deaths.given_up.result() if self.deaths.given_up.done() else status

    async def _stop_or_failure(self, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        waited: tuple[asyncio.Future[Any], ...] = (stopped, self.deaths.given_up)
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()

    async def metrics(self, within_s: float) -> dict[int, str]:
        """Returns the text of the metrics of each worker that takes calls, by its process id."""
        workers = [one for one in self._all if one.serves.is_set()]
        texts = await asyncio.gather(*(one.metrics(within_s) for one in workers))
        return {one.pid: text for one, text in zip(workers, texts, strict=True)}

    def ended_metrics(self) -> dict[int, str]:
        """Returns the last text of each worker that has ended since the last call, by its process id."""
        ended, self._ended_metrics = self._ended_metrics, {}
        return ended

    async def _started(self) -> WorkerProcess:
        slot = self._free_slots.pop(0)
        try:
            worker = await self._start(slot)
        except BaseException:
            self._free_slots.append(slot)
            raise

        def ended(_: object) -> None:
            self._all.pop(worker, None)
            self._ended_metrics[worker.pid] = worker.last_metrics
            self._table.clear(slot)
            self._free_slots.append(slot)

        self._all[worker] = slot
        worker.ended.add_done_callback(ended)
        return worker

    async def _keep(self, place: int) -> None:
        """Replaces the worker of a place whenever it dies."""
        while True:
            worker = self._places[place]
            served_s = 0.0
            hung = await end_if_its_start_hangs(worker, self._beats_of(worker))
            if not worker.ended.done():
                self.deaths.served()
                serves_s = time.monotonic()
                self._emit(WorkerServes(worker.pid, serves_s - worker.started_s))
                hung = await end_if_it_hangs(worker, self._beats_of(worker))
                served_s = time.monotonic() - serves_s
            if worker is not self._places[place]:
                continue  # it was replaced on purpose
            pause_s = self.deaths.note(worker, place, served_s, hung=hung)
            new = await self._started_at_last(pause_s)
            if worker is self._places[place]:
                self._places[place] = new
            else:  # it was replaced on purpose meanwhile
                new.order(STOP_AT_ONCE)

    async def _started_at_last(self, pause_s: float) -> WorkerProcess:
        """Starts a worker after a pause; as long as the system has no process or no memory for one, after longer pauses."""
        while True:
            await asyncio.sleep(pause_s)
            try:
                return await self._started()
            except OSError:
                pause_s = longer(pause_s)

    def _beats_of(self, worker: WorkerProcess) -> Callable[[], int]:
        slot = self._all.get(worker)  # None = it has ended
        return lambda: 0 if slot is None else self._table.beats(slot)

    async def _say_when_all_serve(self, serves: Callable[[], None]) -> None:
        for place in range(self._count):
            while not await self._places[place].served_or_ended():
                await asyncio.sleep(FIRST_PAUSE_S)  # until it is replaced
        serves()

    async def _reload_on(self, reload: asyncio.Event) -> None:
        while await reload.wait():
            reload.clear()
            for worker in tuple(self._all):
                worker.order(RELOAD)

    async def _replace_on(self, replace: asyncio.Event) -> None:
        while await replace.wait():
            replace.clear()
            replaced, error = 0, ""
            for place in range(self._count):
                if error := await self._replace(place):
                    break
                replaced += 1
            self._emit(WorkersReplaced(replaced, error))

    async def _replace(self, place: int) -> str:
        """Replaces a worker, which goes on until another one serves; returns why not, or ""."""
        try:
            new = await self._started()
        except OSError as error:
            return str(error)
        if await end_if_its_start_hangs(new, self._beats_of(new)):
            return "the new worker hung before it took calls"
        if new.ended.done():
            return f"the new worker ended with status {new.ended.result()}"
        old, self._places[place] = self._places[place], new
        self.deaths.replaced(place)
        # Not as a lame duck: others serve its port, and a proxy that asks for its health must not leave them all.
        await self._end((old,), STOP_AT_ONCE, self._drain_s + _STOP_S)
        return ""

    async def _stop_all(self, signals: Signals) -> int:
        """Stops all workers; the result is `EXIT_FORCED` if one of them did not end by itself, or in time, else 0."""
        workers = tuple(self._all)
        at_once = asyncio.create_task(signals.at_once.wait())
        stopping = asyncio.create_task(
            self._end(workers, STOP, self._lame_duck_s + self._drain_s + _STOP_S)
        )
        await asyncio.wait((at_once, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            stopping.cancel()
            await self._end(workers, STOP_AT_ONCE, self._drain_s + _STOP_S)
        at_once.cancel()
        return EXIT_FORCED if any(one.ended.result() for one in workers) else 0

    async def _end(self, workers: tuple[WorkerProcess, ...], order: str, within_s: float) -> None:
        """Orders workers to stop, and kills those that have not ended in time."""
        for worker in workers:
            worker.order(order)
        if ending := [worker.ended for worker in workers]:
            _, late = await asyncio.wait(ending, timeout=within_s)
            for worker in workers:
                if worker.ended in late:
                    worker.kill()
                    await worker.ended
