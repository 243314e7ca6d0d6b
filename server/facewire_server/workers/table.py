"""The streams of each worker, in memory that all processes of a server share.

The file has no name, and ends with its processes. A worker has a slot of numbers, which it alone writes while it lives; the parent
clears the slot when it has ended, however it did:

    takes calls   1 or 0
    streams       that are open
    beats         of its event loop
    services      that it serves, a bit each
"""

import mmap
import os
import threading
from typing import Final

__all__ = ["Slot", "Table", "slots_of"]

_NUMBERS: Final = 8
"""Numbers of a slot, of which four are used: no two slots lie in one line of the processor's cache."""

_TAKES_CALLS, _STREAMS, _BEATS, _SERVICES = range(4)

_LOOKS_WITHOUT_A_BEAT: Final = 3
"""Looks in a row, one a second, without a beat of another worker after which no stream is left to it. Chosen, not measured: fewer than a
worker with more streams makes before it moves one."""

_MOST_LOOKS: Final = 10
"""Looks in a row, one a second, without a beat of another worker after which it serves nothing: it may be ended and replaced, which takes
a minute. Chosen, not measured."""


class Table:
    """The slots of all workers.

    Attributes:
        file: descriptor of the memory, to be passed to a worker.
    """

    def __init__(self, slot_count: int, file: int | None = None) -> None:
        """Makes a table of empty slots; with a file, opens the one that the parent has made.

        Raises:
            OSError: the system has no memory for it, or the file is none.
        """
        byte_count = slot_count * _NUMBERS * 8
        self.file = os.memfd_create("facewire-workers") if file is None else file
        if file is None:
            os.ftruncate(self.file, byte_count)
        self._map = mmap.mmap(self.file, byte_count)
        self._numbers = memoryview(self._map).cast("Q")
        self.slot_count = slot_count

    def read(self, slot: int, number: int) -> int:
        """Returns a number of a slot."""
        return self._numbers[slot * _NUMBERS + number]

    def write(self, slot: int, number: int, value: int) -> None:
        """Writes a number of a slot."""
        self._numbers[slot * _NUMBERS + number] = value

    def beats(self, slot: int) -> int:
        """Returns how often the event loop of a slot's worker has beaten."""
        return self.read(slot, _BEATS)

    def clear(self, slot: int) -> None:
        """Empties the slot of a worker that has ended."""
        for number in (_TAKES_CALLS, _STREAMS, _BEATS, _SERVICES):
            self.write(slot, number, 0)

    def close(self) -> None:
        """Releases the memory. No call may follow."""
        self._numbers.release()
        self._map.close()
        os.close(self.file)


class Slot:
    """The `Loads` and the `SharedHealth` of one worker."""

    def __init__(self, table: Table, own: int) -> None:
        """Takes the table and the number of the worker's own slot."""
        self._table = table
        self._own = own
        self._others = [slot for slot in range(table.slot_count) if slot != own]
        self._fence = threading.Lock()
        self._still: dict[int, tuple[int, int]] = {}  # by slot: its beats, and looks at the same

    def set_takes_calls(self, takes_calls: bool) -> None:
        """Shows the others whether this worker takes calls."""
        self._table.write(self._own, _TAKES_CALLS, int(takes_calls))

    def beat(self) -> None:
        """Shows the parent that this worker's event loop goes on."""
        self._table.write(self._own, _BEATS, self._table.beats(self._own) + 1)

    def publish(self, stream_count: int) -> None:
        """See the port."""
        self._table.write(self._own, _STREAMS, stream_count)
        with self._fence:  # a barrier: no later read passes this write
            pass

    @property
    def elsewhere(self) -> int:
        """See the port."""
        return sum(self._table.read(slot, _STREAMS) for slot in self._others)

    @property
    def least_elsewhere(self) -> int | None:
        """See the port. One whose event loop stands still, or that serves less than this one, takes none of its streams."""
        taking = [slot for slot in self._others if self._takes_streams(slot)]
        return min((self._table.read(slot, _STREAMS) for slot in taking), default=None)

    def _takes_streams(self, slot: int) -> bool:
        if not self._table.read(slot, _TAKES_CALLS):
            return False
        _, looks = self._still.get(slot, (0, 0))
        lacking = self._table.read(self._own, _SERVICES) & ~self._table.read(slot, _SERVICES)
        return looks < _LOOKS_WITHOUT_A_BEAT and not lacking

    def publish_health(self, services: int) -> None:
        """See the port."""
        self._table.write(self._own, _SERVICES, services)

    def health_elsewhere(self, all_services: int) -> int:
        """See the port. A worker whose event loop stands still serves nothing."""
        found = all_services
        for slot in self._others:
            if not self._table.read(slot, _TAKES_CALLS):
                self._still.pop(slot, None)
                continue
            beats = self._table.beats(slot)
            before, looks = self._still.get(slot, (beats, 0))
            looks = looks + 1 if beats == before else 0
            self._still[slot] = beats, looks
            found &= self._table.read(slot, _SERVICES) if looks < _MOST_LOOKS else 0
        return found


def slots_of(worker_count: int) -> int:
    """Returns the slots for this number of workers: each, and those that take their places."""
    return 2 * worker_count
