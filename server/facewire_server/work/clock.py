"""Runs the steps of one picture, and keeps the time of each."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from facewire_server.types import Timings
from facewire_server.work.threads import run_in_thread

__all__ = ["Clock"]

T = TypeVar("T")


class Clock:
    """The stopwatch of one picture.

    Attributes:
        timings: where the time went so far; a stage that has several parts adds them up.
    """

    def __init__(self, threads: Executor) -> None:
        """Starts the time.

        Args:
            threads: where `run` runs steps; they release the GIL.
        """
        self.timings = Timings()
        self._threads = threads
        self._started_s = time.perf_counter()

    async def run(self, stage: str, step: Callable[..., T], *arguments: object) -> T:
        """Runs a step in a thread, and counts the time that it took there.

        A cancelled caller still waits for the step: the thread cannot be stopped, and its memory
        counts until it ends.
        """
        result, took_s = await run_in_thread(self._threads, partial(_timed, step, arguments))
        self._add(stage, took_s)
        return result

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        """Counts the time until the block ends, waiting included."""
        started_s = time.perf_counter()
        yield
        self._add(stage, time.perf_counter() - started_s)

    def stop(self) -> Timings:
        """Ends the time."""
        self.timings.total_s = time.perf_counter() - self._started_s
        return self.timings

    def _add(self, stage: str, took_s: float) -> None:
        setattr(self.timings, stage, getattr(self.timings, stage) + took_s)


def _timed(step: Callable[..., T], arguments: tuple[object, ...]) -> tuple[T, float]:
    started_s = time.perf_counter()
    result = step(*arguments)
    return result, time.perf_counter() - started_s
