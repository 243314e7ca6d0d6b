"""Finds a worker whose event loop hangs: its process lives, takes connections, and returns nothing."""

import asyncio
from collections.abc import Callable
from typing import Final

from facewire_server.workers.process import WorkerProcess

__all__ = ["BEAT_EVERY_S", "end_if_it_hangs"]

BEAT_EVERY_S: Final = 1.0
"""Seconds between two beats of a worker's event loop. Chosen, not measured."""

_LOOK_EVERY_S: Final = 2.0
"""Seconds between two looks at a worker's beats: at least one lies between them."""

_MOST_LOOKS: Final = 30
"""Looks in a row without a beat after which a worker hangs: a minute, as a machine without memory can stop a process for long.
Looks are counted rather than time, which passes also while the parent is stopped. Chosen, not measured."""


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
    seen, looks = beats(), 0
    while looks < _MOST_LOOKS:
        await asyncio.wait((worker.ended,), timeout=look_every_s)
        if worker.ended.done():
            return False
        before, seen = seen, beats()
        looks = looks + 1 if seen == before else 0
    worker.kill()
    await asyncio.wait((worker.ended,))
    return True
