"""Which streams of a worker have a better place at another one: those that come, and those that are open."""

from collections import Counter, deque
from typing import Final

from facewire_server.streams.loads import Loads

__all__ = ["LOOK_EVERY_S", "Balance"]

LOOK_EVERY_S: Final = 1.0
"""Seconds between two looks at what other workers have. Chosen, not measured."""

_MOST_AHEAD: Final = 2
"""Streams that a worker may not have more than the least loaded one: with one, a worker would refuse half of all streams at equal
loads. Measured: the kernel spreads 16 connections over 2 workers with a median Jain index of 0.94, over 4 workers with 0.87."""

_MOST_BUSY: Final = 4
"""Refusals of a connection before a stream of it is served nevertheless: the contract's limit for a client. Without it one whose
streams share a connection, its own or a proxy's, would never be served here."""

_MOST_CONNECTIONS: Final = 1024
"""Connections that are remembered; then it begins again. Chosen, not measured."""

_LOOKS_AHEAD: Final = 5
"""Looks in a row at two streams more than another worker has, before one is moved: cameras that come back after a cut spread by
themselves in less. Chosen, not measured."""

_LOOKS_UNDERWAY: Final = 10
"""Looks during which a stream that was moved counts as another worker's, which it may not have reached yet. Chosen, not measured:
clients come back within two seconds, and may be refused here first."""


class Balance:
    """Compares the streams of one worker with those of the others."""

    def __init__(self, loads: Loads) -> None:
        """Takes what the others have."""
        self._loads = loads
        self._refused: Counter[str] = Counter()
        self._moved: dict[str, None] = {}  # the connections of which a stream was moved
        self._looks_ahead = 0
        self._underway: deque[int] = deque()  # looks left of each stream that was moved

    def refuses(self, connection: str, stream_count: int) -> bool:
        """Returns whether a stream that comes should go to another worker.

        Args:
            connection: that it comes on.
            stream_count: that this worker has without it.
        """
        least = self._loads.least_elsewhere
        # While streams are moved away, one more is enough: else half of them would return here.
        most_ahead = 1 if self._underway else _MOST_AHEAD
        if least is None or stream_count < least + most_ahead:
            return False
        if self._refused[connection] >= _MOST_BUSY:
            del self._refused[connection]
            return False
        if len(self._refused) > _MOST_CONNECTIONS:
            self._refused.clear()
        self._refused[connection] += 1
        return True

    def look(self, stream_count: int) -> bool:
        """Returns whether an open stream should be moved now; to be called every `LOOK_EVERY_S` seconds.

        Args:
            stream_count: that this worker has.
        """
        self._underway = deque(left - 1 for left in self._underway if left > 1)
        least = self._loads.least_elsewhere
        if least is None or stream_count < least + len(self._underway) + _MOST_AHEAD:
            self._looks_ahead = 0
            return False
        self._looks_ahead += 1
        return self._looks_ahead >= _LOOKS_AHEAD

    def may_move(self, connection: str) -> bool:
        """Returns whether a stream of this connection may be moved: one is at most, since the next may come on the same, to this worker."""
        return connection not in self._moved

    def moved(self, connection: str) -> None:
        """Takes that a stream of this connection is moved."""
        if len(self._moved) > _MOST_CONNECTIONS:
            self._moved.clear()
        self._moved[connection] = None
        self._underway.append(_LOOKS_UNDERWAY)
