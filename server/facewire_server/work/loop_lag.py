"""How late the event loop wakes its tasks: the sign that something blocks it."""

import asyncio
from typing import Final, NoReturn

from facewire_server.events import Emit, LoopLag

__all__ = ["measure_loop_lag"]

_PERIOD_S: Final = 0.5
"""Time between two measurements. Chosen, not measured: a block of some 100 ms rarely falls between."""


async def measure_loop_lag(emit: Emit) -> NoReturn:
    """Emits `LoopLag` at a steady pace, until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + _PERIOD_S
        await asyncio.sleep(_PERIOD_S)
        emit(LoopLag(max(0.0, loop.time() - due_s)))
