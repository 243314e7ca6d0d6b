"""Bounds the bytes of the pictures that were read in full and are not answered yet, as they arrived.

A message that is still being received is not counted: gRPC holds it, up to the most bytes of a message for each stream and call.
A stream that holds its equal share stops reading while the budget is used up, and the transport's flow control stops
its camera. It may always hold one frame, and holds none longer than the picture's time, so that no stream waits forever.
So all streams together hold at most the budget and one frame each. A call's request is read before the call is
seen, so a call that finds no room is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from facewire_server.errors import TooManyCalls
from facewire_server.work.condition import Condition

__all__ = ["ByteBudget", "ByteStatistics", "Holder"]


@dataclass(frozen=True, slots=True)
class ByteStatistics:
    """The use of a budget at one moment.

    Attributes:
        most_bytes: the budget.
        held_bytes: bytes held; may be above the budget by one frame a stream.
    """

    most_bytes: int
    held_bytes: int


class ByteBudget:
    """The bytes that streams, or calls, may hold together."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._holders = 0
        self._changed = Condition()

    @contextmanager
    def held(self, size_bytes: int) -> Iterator[None]:
        """Counts a call's request for the block. One request always finds room.

        Raises:
            TooManyCalls: the budget is used up.
        """
        if self._held_bytes and self._held_bytes + size_bytes > self._most_bytes:
            raise TooManyCalls("the pictures of other calls fill the memory that calls may take")
        self._add(size_bytes)
        try:
            yield
        finally:
            self._add(-size_bytes)

    def statistics(self) -> ByteStatistics:
        """Returns the use of the budget now."""
        return ByteStatistics(self._most_bytes, self._held_bytes)

    def _add(self, size_bytes: int) -> None:
        self._held_bytes += size_bytes
        self._changed.notify()


class Holder:
    """What one stream holds of a budget. A context manager: it is one of those that share while it is entered."""

    def __init__(self, budget: ByteBudget) -> None:
        self._held_bytes = 0
        self._budget = budget

    def __enter__(self) -> None:
        """Makes the stream one of those that share the budget."""
        self._budget._holders += 1

    def __exit__(self, *_: object) -> None:
        """Counts what the stream still holds as returned."""
        self._budget._holders -= 1
        self.give_back(self._held_bytes)

    def take(self, size_bytes: int) -> None:
        """Counts a frame that was read."""
        self._held_bytes += size_bytes
        self._budget._add(size_bytes)

    def give_back(self, size_bytes: int) -> None:
        """Counts a frame that is settled or skipped."""
        self._held_bytes -= size_bytes
        self._budget._add(-size_bytes)

    async def until_room(self) -> None:
        """Waits until the stream may read one more frame."""
        await self._budget._changed.until(self._has_room)

    def _has_room(self) -> bool:
        budget = self._budget
        share_bytes = budget._most_bytes / max(1, budget._holders)
        return budget._held_bytes < budget._most_bytes or self._held_bytes < share_bytes
