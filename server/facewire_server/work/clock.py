"""Runs the steps of one picture, and keeps when each began and ended."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from facewire_server.events import Stage
from facewire_server.types import Timings
from facewire_server.work.spent import Spent, spent_now
from facewire_server.work.threads import run_in_thread

__all__ = ["Clock"]

T = TypeVar("T")


class Clock:
    """The stopwatch of one picture.

    Attributes:
        stages: the finished ones, in order of their ends. A stage that raises or is cancelled is not finished and
            never appears.
        started_s: when the work began, by `time.perf_counter`.
    """

    def __init__(self, threads: Executor) -> None:
        """Starts the stopwatch.

        Args:
            threads: where `run` runs steps. Steps that release the GIL run at the same time.
        """
        self.stages: list[Stage] = []
        self.started_s = time.perf_counter()
        self._threads = threads

    async def run(self, stage: str, step: Callable[..., T], *arguments: object) -> T:
        """Runs a step in a thread, and counts the time that it took there if it returns.

        The thread's processor time is spent on the picture in any case.

        A cancelled caller still waits for the step: the thread cannot be stopped, and its memory
        counts until it ends.
        """
        result, started_s, ended_s = await run_in_thread(
            self._threads, partial(_timed, step, arguments, spent_now())
        )
        self.stages.append(Stage(stage, started_s, ended_s))
        return result

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        """Counts the time until the block ends, waiting included; a block that raises is not counted.

        If nothing in the block says what it spent, as an engine in this process does, the time is spent on the picture.
        """
        started_s, spent = time.perf_counter(), spent_now()
        before_s = spent.total_s
        try:
            yield
        finally:
            ended_s = time.perf_counter()
            if spent.total_s == before_s:
                spent.add(ended_s - started_s)
        self.stages.append(Stage(stage, started_s, ended_s))

    def timings(self, *, waited_s: float = 0.0) -> Timings:
        """Returns the time of each stage so far; the parts of a stage are added up.

        Args:
            waited_s: before the work began; part of the total.
        """
        total_s = waited_s + time.perf_counter() - self.started_s
        timings = Timings(queue_s=waited_s, total_s=total_s)
        for stage in self.stages:
            name = f"{stage.name}_s"
            setattr(timings, name, getattr(timings, name) + stage.ended_s - stage.started_s)
        return timings


def _timed(
    step: Callable[..., T], arguments: tuple[object, ...], spent: Spent
) -> tuple[T, float, float]:
    started_s, began_s = time.perf_counter(), time.thread_time()
    try:
        result = step(*arguments)
    finally:
        spent.add(time.thread_time() - began_s)
    return result, started_s, time.perf_counter()
