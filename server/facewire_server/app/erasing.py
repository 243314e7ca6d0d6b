"""Has the gallery's file rewritten when what was deleted has been in it for long enough."""

import asyncio
import time
from pathlib import Path
from typing import Final, NoReturn

from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.new_vectors import erase_interrupted
from facewire_server.errors import ServerError, StorageBusy
from facewire_server.events import DeletedErased, Emit, ErasureFailed

__all__ = ["erase_in_time"]

_LOOK_EVERY_S: Final = 1.0
"""Seconds between two looks at what is to be erased. Chosen, not measured: a look takes less than 1 ms."""

_RETRY_S: Final = 60.0
"""Seconds after a failure until the next try: a full disk stays full for a while. Chosen, not measured."""


async def erase_in_time(
    gallery: LmdbGallery, data: Path, erase_within_s: float, emit: Emit
) -> NoReturn:
    """Rewrites the gallery's file `erase_within_s` after a deletion, and erases what other processes left. Never returns.

    Of several processes, one does it.

    Args:
        gallery: whose file.
        data: folder of all that the server keeps.
        erase_within_s: seconds from the first deletion that is pending.
        emit: takes that it was done, or failed.
    """
    not_before_s = 0.0
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            pending_s = await gallery.tidy()
            began_s = time.monotonic()
            if began_s < not_before_s or pending_s is None:
                continue
            if pending_s >= erase_within_s:
                count = await gallery.erase_deleted()
                await asyncio.to_thread(erase_interrupted, data)
                emit(DeletedErased(count, time.monotonic() - began_s))
        except StorageBusy:  # another process rewrites it, or it is written to
            continue
        except (ServerError, OSError) as error:
            emit(ErasureFailed(str(error)))
            not_before_s = time.monotonic() + _RETRY_S
