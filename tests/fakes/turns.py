"""Flows that wait for turns, before a real `WorkSlots`, in a time of the test's own."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack

from facewire_server.work.slots import Flow, WorkSlots
from facewire_server.work.spent import spend

__all__ = ["CALLS", "Simulation"]

CALLS = "calls"
"""Name of the flow of all calls."""


class Simulation:
    """Flows that always have pictures waiting, before a real `WorkSlots`, in a time of the test's own.

    Attributes:
        slots: what is tried.
        now_s: the clock.
        work_s: seconds of finished work, by flow.
        turns: flows in the order in which their pictures began.
    """

    def __init__(self, count: int) -> None:
        self.now_s = 0.0
        self.slots = WorkSlots(count)
        self.work_s: defaultdict[str, float] = defaultdict(float)
        self.turns: list[str] = []
        self._events: dict[asyncio.Event, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._open = ExitStack()

    def add(
        self,
        name: str,
        cost_s: float,
        waiting: int,
        *,
        then_s: tuple[float, ...] = (),
        pause_s: float = 0.0,
    ) -> None:
        """Adds a flow of whose pictures so many wait at any time, each `pause_s` after the one before.

        They take `cost_s`, then each of `then_s`, and so on.
        """
        flow = None if name == CALLS else self._open.enter_context(self.slots.stream(name))
        costs_s = itertools.cycle((cost_s, *then_s))
        for _ in range(waiting):
            pictures = self._pictures(name, flow, costs_s, pause_s)
            self._tasks.append(asyncio.create_task(pictures))

    async def run(self, until_s: float) -> None:
        """Goes from the end of one picture to the next."""
        await self._settle()
        while self._events and self.now_s < until_s:
            passed, self.now_s = min(self._events.items(), key=lambda item: item[1])
            del self._events[passed]
            passed.set()
            await self._settle()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._open.close()

    async def _pictures(
        self, name: str, flow: Flow | None, costs_s: Iterator[float], pause_s: float
    ) -> None:
        while True:
            async with self.slots.slot(flow):
                self.turns.append(name)
                cost_s = next(costs_s)
                await self._pass(max(0.001, cost_s))
                spend(cost_s)
                self.work_s[name] += cost_s
            if pause_s:
                await self._pass(pause_s)

    def add_a_stream_for_each_picture(self, name: str, cost_s: float) -> None:
        """Adds a client that opens a stream, sends a picture, ends the stream, and so on."""
        self._tasks.append(asyncio.create_task(self._streams(name, cost_s)))

    async def _streams(self, name: str, cost_s: float) -> None:
        while True:
            with self.slots.stream(name) as flow:
                async with self.slots.slot(flow):
                    await self._pass(cost_s)
                    spend(cost_s)
                    self.work_s[name] += cost_s

    async def _pass(self, seconds: float) -> None:
        passed = asyncio.Event()
        self._events[passed] = self.now_s + seconds
        await passed.wait()

    async def _settle(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)
