"""The upkeep of the journal, which must end when the server does."""

import asyncio
import threading
from pathlib import Path
from typing import Any, cast

from facewire_server.app import journal as app_journal
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.transaction_threads import TransactionThreads
from facewire_server.streams.journal import Journal


class Writing:
    """A journal whose upkeep writes, and waits in its write."""

    def __init__(self, threads: TransactionThreads) -> None:
        self.threads = threads
        self.begun, self.release = threading.Event(), threading.Event()

    def change(self, _: Transaction) -> None:
        self.begun.set()
        assert self.release.wait(20)

    async def maintain(self) -> None:
        await self.threads.write(self.change)


async def test_upkeep_that_is_cancelled_during_a_write_ends_after_it(tmp_path: Path) -> None:
    threads = TransactionThreads(
        Environment(tmp_path, GALLERY_STORAGE, map_bytes=1 << 20, max_bytes=1 << 20), 1
    )
    journal = Writing(threads)
    upkeep = asyncio.create_task(app_journal._maintain(cast(Journal, cast(Any, journal))))
    await asyncio.to_thread(journal.begun.wait)
    upkeep.cancel()
    await asyncio.sleep(0)
    assert not upkeep.done()
    journal.release.set()
    await asyncio.wait([upkeep], timeout=30)
    assert upkeep.cancelled()
    threads.close()
