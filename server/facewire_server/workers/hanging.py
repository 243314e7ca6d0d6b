"""Finds a worker whose event loop hangs: its process lives, may take connections, and returns nothing."""

import asyncio
from collections.abc import Callable
from typing import Final

from facewire_server.workers.process import WorkerProcess

__all__ = ["BEAT_EVERY_S", "end_if_it_hangs", "end_if_its_start_hangs"]

BEAT_EVERY_S: Final = 1.0
"""Seconds between two beats of a worker's event loop. Chosen, not measured."""

_LOOK_EVERY_S: Final = 2.0
"""Seconds between two looks at a worker's beats: at least one lies between them."""

_MOST_LOOKS: Final = 30
"""Looks in a row without a beat after which a worker hangs: a minute, as a machine without memory can stop a process for long.
Looks are counted rather than time, which passes also while the parent is stopped. Chosen, not measured."""

_MOST_LOOKS_AT_START: Final = 150
"""The same of a worker that does not take calls yet: five minutes, since its loop begins only when its program is loaded, and stands
still while models are compiled. Chosen, not measured: both take seconds on an idle machine."""


async def end_if_it_hangs(
    worker: WorkerProcess,
    beats: Callable[[], int],
    *,
    look_every_s: float = _LOOK_EVERY_S,
) -> bool:
    """Waits until a worker has ended; kills it (SIGKILL) if its event loop hangs.

    Args:
        worker: that takes calls.
        beats: returns how often its event loop has beaten.
        look_every_s: seconds between two looks.

    Returns:
        Whether it hung.
    """
    return await _hangs(worker, worker.ended, beats, _MOST_LOOKS, look_every_s)


async def end_if_its_start_hangs(
    worker: WorkerProcess,
    beats: Callable[[], int],
    *,
    look_every_s: float = _LOOK_EVERY_S,
) -> bool:
    """Waits until a worker takes calls or has ended; kills it (SIGKILL) if its event loop hangs before. See `end_if_it_hangs`.

    Every step of a start that waits for something else has a bound of its own; a loop that stands still keeps none.
    """
    started = asyncio.create_task(worker.served_or_ended())
    try:
        return await _hangs(worker, started, beats, _MOST_LOOKS_AT_START, look_every_s)
    finally:
        started.cancel()


async def _hangs(
    worker: WorkerProcess,
    over: asyncio.Task[int] | asyncio.Task[bool],
    beats: Callable[[], int],
    most_looks: int,
    look_every_s: float,
) -> bool:
    seen, looks = beats(), 0
    while looks < most_looks:
        await asyncio.wait((over,), timeout=look_every_s)
        if over.done():
            return False
        before, seen = seen, beats()
        looks = looks + 1 if seen == before else 0
    worker.kill()
    await asyncio.wait((worker.ended,))
    return True
