"""The journal in the life of a server: opened, kept in order every second, closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Final, NoReturn

from facewire_server.backends.lmdb_journal import open_journal
from facewire_server.configuration.settings import Settings
from facewire_server.events import Emit
from facewire_server.galleries.ports import People
from facewire_server.streams.journal import Journal
from facewire_server.work.threads import run_within

__all__ = ["opened_journal"]

_OPEN_S: Final = 600.0
"""Seconds to read the journal once and to open it. Chosen, not measured: 100,000 events take less than two."""

_ROUND_S: Final = 1.0
"""Seconds between two rounds of upkeep. Chosen, not measured: as soon is what is about a deleted person out of the files."""

_SECONDS_PER_HOUR: Final = 3600.0
"""For the setting, which is in hours."""


@asynccontextmanager
async def opened_journal(settings: Settings, people: People, emit: Emit) -> AsyncIterator[Journal]:
    """Opens the journal for the block. A storage that cannot be used is reported, and does not keep the server from starting."""
    opening = partial(
        open_journal,
        settings.data / "journal",
        people,
        keep_count=settings.events_keep_count,
        keep_s=settings.events_keep_hours * _SECONDS_PER_HOUR,
        keeps_crops=settings.keep_crops,
        emit=emit,
    )
    journal, replaced = await run_within(opening, _OPEN_S)
    if replaced is not None:
        emit(replaced)
    with closing(journal):
        upkeep = asyncio.create_task(_maintain(journal))
        try:
            yield journal
        finally:
            upkeep.cancel()
            await asyncio.wait([upkeep])
            if not upkeep.cancelled():
                await upkeep  # raises its failure


async def _maintain(journal: Journal) -> NoReturn:
    while True:
        await journal.maintain()
        await asyncio.sleep(_ROUND_S)
