"""What every frame writes: a few numbers of each open stream, in a file that all processes map into their memory.

A write transaction for each frame would wait for those of other processes; a number in shared memory costs less than a microsecond, and
survives the process as the storage does. A stream has a slot of four numbers, by whose generation it knows whether it is still its owner:

    generation    raised by whoever takes the slot, in a write transaction, so that one does at a time
    accounted     the last sequence that was accounted for
    alive         when the stream was last known to be open, microseconds since 1970
    given up      the last generation that no stream took: the one before was not open for too long

Whoever takes a slot raises the generation and then reads what was accounted; its owner writes what it accounts for and then reads
the generation. So either the owner sees that it was displaced, or the new owner sees what was accounted for.
"""

import mmap
import os
import threading
from pathlib import Path
from typing import Final

from facewire_server.errors import StreamTakenOver
from facewire_server.host.private_files import open_private
from facewire_server.streams.journal import StreamForgotten

__all__ = ["SLOTS", "Accounts"]

SLOTS: Final = 4096
"""Streams that are open or can be resumed, of all processes together. Chosen, not measured: 64 streams a process by default."""

_NUMBERS: Final = 4
"""Numbers of a slot: no slot lies in two lines of the processor's cache."""

_GENERATION, _ACCOUNTED, _ALIVE, _GIVEN_UP = range(_NUMBERS)

_BYTES: Final = (1 + SLOTS) * _NUMBERS * 8
"""Bytes of the file. In place of a slot, the first numbers hold the last event."""


class Accounts:
    """The file of accounts, open in this process."""

    def __init__(self, path: Path) -> None:
        """Opens the file; makes it, if there is none.

        Raises:
            OSError: it cannot be used, or the disk has no room for it.
        """
        file = open_private(path)
        try:
            # With its room on the disk: writing to a page that gets none would end the process.
            os.posix_fallocate(file, 0, _BYTES)
            self._map = mmap.mmap(file, _BYTES)
        finally:
            os.close(file)
        self._numbers = memoryview(self._map).cast("Q")
        self._fence = threading.Lock()

    @property
    def last_event(self) -> int:
        """The id of an event that was, or is about to be, written: there may be a new one to read."""
        return self._numbers[0]

    @last_event.setter
    def last_event(self, event_id: int) -> None:
        self._numbers[0] = event_id

    def take(self, slot: int, *, accounted: int | None = None) -> int:
        """Takes a slot from its owner, if it has one; in a write transaction only. Returns its new generation.

        Args:
            slot: from 0 on.
            accounted: what it begins with; None: what it holds, for a stream that is resumed.
        """
        at = self._at(slot)
        self._numbers[at + _GENERATION] += 1
        if accounted is not None:
            self._numbers[at + _ACCOUNTED] = accounted
        self._order()
        return self._numbers[at + _GENERATION]

    def give_up(self, slot: int) -> None:
        """Takes a slot from a stream that was not open for too long; in a write transaction only."""
        at = self._at(slot)
        # First: whoever sees that the slot was taken finds out why.
        self._numbers[at + _GIVEN_UP] = self._numbers[at + _GENERATION] + 1
        self._order()
        self.take(slot)

    def account(self, slot: int, generation: int, sequence: int) -> None:
        """Writes that frames up to this one are accounted for; raises as `require`."""
        self._numbers[self._at(slot) + _ACCOUNTED] = sequence
        self._order()
        self.require(slot, generation)

    def require(self, slot: int, generation: int) -> None:
        """Checks that the slot was not taken since.

        Raises:
            StreamTakenOver: it was.
            StreamForgotten: it was, and given up later: no other stream goes on with it now.
        """
        at = self._at(slot)
        if self._numbers[at + _GENERATION] == generation:
            return
        if self._numbers[at + _GIVEN_UP] > generation:
            raise StreamForgotten(
                "the server stood still, and has ended the stream: open a new one"
            )
        raise StreamTakenOver("another stream was opened with this one's resume token")

    def accounted(self, slot: int) -> int:
        """Returns the last sequence that was accounted for."""
        return self._numbers[self._at(slot) + _ACCOUNTED]

    def alive_at_us(self, slot: int) -> int:
        """Returns when the stream was last known to be open."""
        return self._numbers[self._at(slot) + _ALIVE]

    def set_alive(self, slot: int, now_us: int) -> None:
        """Writes that the stream is open now."""
        self._numbers[self._at(slot) + _ALIVE] = now_us

    def close(self) -> None:
        """Releases the file. No call may follow."""
        self._numbers.release()
        self._map.close()

    def _order(self) -> None:
        # A lock's instructions are a barrier: no later read passes an earlier write.
        with self._fence:
            pass

    def _at(self, slot: int) -> int:
        return (1 + slot) * _NUMBERS
