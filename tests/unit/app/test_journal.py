"""The upkeep of the journal, which must end when the server does."""

import asyncio
import contextlib
from typing import Any, cast

from facewire_server.app import journal as app_journal
from facewire_server.streams.journal import Journal


class Writing:
    """A journal in whose upkeep a write has begun: a cancelled caller receives its outcome."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.written = asyncio.Event()

    async def maintain(self) -> None:
        self.begun.set()
        while not self.written.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.written.wait()


async def test_upkeep_that_is_cancelled_during_a_write_ends_after_it() -> None:
    journal = Writing()
    upkeep = asyncio.create_task(app_journal._maintain(cast(Journal, cast(Any, journal))))
    await journal.begun.wait()
    upkeep.cancel()
    await asyncio.sleep(0)
    assert not upkeep.done()
    journal.written.set()
    await asyncio.wait([upkeep], timeout=30)
    assert upkeep.cancelled()
