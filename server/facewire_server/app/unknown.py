"""The unknown people in the life of a server: opened, grouped and erased in their time, closed; or erased, if none may be kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Final

from facewire_server.app.values import crop_keys, request_defaults
from facewire_server.backends.unknown_files import UnknownFiles
from facewire_server.configuration.settings import Settings
from facewire_server.events import Emit
from facewire_server.proof.model_contract import ModelContract
from facewire_server.streams.unknown import NotKeptUnknown, SearchedGallery, UnknownKeeper
from facewire_server.work.threads import run_within

__all__ = ["opened_unknown"]

_OPEN_S: Final = 60.0
"""Seconds to make the folder, or to erase it: a disk overwrites 1,000 people in some seconds. Chosen, not measured."""

_CLOSE_S: Final = 5.0
"""Seconds until the visits of the streams that were ended are grouped. Chosen, not measured."""

_SECONDS_PER_HOUR: Final = 3600.0
"""For the setting, which is in hours."""


@asynccontextmanager
async def opened_unknown(
    settings: Settings, contract: ModelContract, gallery: SearchedGallery, emit: Emit
) -> AsyncIterator[UnknownKeeper | NotKeptUnknown]:
    """Opens the unknown people for the block.

    Raises:
        SettingsError: the file of the keys cannot be used.
        OSError: the folder cannot be used.
    """
    folder = settings.data / "unknown"
    if not settings.keep_unknown_hours:
        await run_within(partial(UnknownFiles.erase_all, folder), _OPEN_S)
        yield NotKeptUnknown()
        return
    opening = partial(
        UnknownFiles,
        folder,
        keep_s=settings.keep_unknown_hours * _SECONDS_PER_HOUR,
        keys=crop_keys(settings),
        model_contract_id=contract.id,
    )
    store = await run_within(opening, _OPEN_S)
    policy = request_defaults(settings, contract).decision
    with closing(UnknownKeeper(store, gallery, policy, emit)) as keeper:
        running = asyncio.create_task(keeper.run())
        try:
            yield keeper
            settling = asyncio.create_task(keeper.settled())
            await asyncio.wait([running, settling], timeout=_CLOSE_S, return_when="FIRST_COMPLETED")
            settling.cancel()
        finally:
            running.cancel()
            await asyncio.wait([running])
            if not running.cancelled():
                await running  # raises its failure
