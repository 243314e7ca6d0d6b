"""The lag of the event loop, measured by blocking it."""

import asyncio
import time

from facewire_server.events import Event, LoopLag
from facewire_server.work.loop_lag import measure_loop_lag

BLOCKED_S = 1.0


async def test_what_blocks_the_loop_is_measured() -> None:
    events: asyncio.Queue[Event] = asyncio.Queue()
    measuring = asyncio.create_task(measure_loop_lag(events.put_nowait))
    await events.get()  # it measures
    await asyncio.sleep(0)
    time.sleep(BLOCKED_S)
    lag = await events.get()
    measuring.cancel()
    assert isinstance(lag, LoopLag)
    # The measurement was due after half a second, within the block.
    assert lag.lag_s > BLOCKED_S / 4
