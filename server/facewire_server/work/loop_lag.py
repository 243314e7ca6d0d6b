"""Measures how late the event loop wakes its tasks, which shows that something blocks it."""

import asyncio
from typing import Final, NoReturn

from facewire_server.events import Emit, LoopLag

__all__ = ["measure_loop_lag"]

_PERIOD_S: Final = 0.5
"""Seconds between two measurements. Chosen, not measured: often enough to see blocks of 100 ms sooner or later."""


async def measure_loop_lag(emit: Emit) -> NoReturn:
    """Emits `LoopLag` twice a second, until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + _PERIOD_S
        await asyncio.sleep(_PERIOD_S)
        emit(LoopLag(max(0.0, loop.time() - due_s)))
