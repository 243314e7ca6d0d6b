"""Ids of tracks, given out by a process from blocks that it takes in the storage: without waiting, and unique among all processes."""

from typing import Final

from facewire_server.backends.lmdb_journal.storage import JournalStorage

__all__ = ["TrackIds"]

BLOCK: Final = 4096
"""Ids of a block. A frame begins a hundred tracks at most, and blocks are taken every second. Chosen, not measured."""


class TrackIds:
    """The ids of one process."""

    def __init__(self, storage: JournalStorage) -> None:
        """Takes the first block; blocks."""
        self._storage = storage
        self._last = 0
        self._left = storage.write_now(lambda writes: writes.take_track_ids(BLOCK))

    def next(self) -> int:
        """Returns an id that no track had before."""
        if self._left:
            self._last, self._left = self._left[0], self._left[1:]
        else:  # the storage fails: unique in this process
            self._last = max(self._last + 1, self._storage.now_us())
        return self._last

    async def top_up(self) -> None:
        """Takes another block if the last one is half used."""
        if len(self._left) < BLOCK // 2:
            self._left = await self._storage.write(lambda writes: writes.take_track_ids(BLOCK))
