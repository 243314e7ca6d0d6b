"""The open streams of a server: bounds their number, moves them to other workers, and ends them when the server stops."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from facewire_server.errors import ServerError, ShuttingDown, TooManyStreams, WorkerBusy
from facewire_server.streams.balance import LOOK_EVERY_S, Balance
from facewire_server.streams.loads import Alone, Loads
from facewire_server.streams.session import Session
from facewire_server.streams.values import ReconnectReason

__all__ = ["Streams", "StreamsStatistics"]


@dataclass(frozen=True, slots=True)
class StreamsStatistics:
    """The streams of a server at one moment. Counts are since its start.

    Attributes:
        max_streams: most that may be open, of all workers together.
        open: streams that are, here.
        opened: streams that were admitted, also those whose config was then refused.
        refused: streams that were not, by the error's class: TooManyStreams, WorkerBusy or ShuttingDown.
        moved: streams that were ended so that another worker may have them.
    """

    max_streams: int
    open: int
    opened: int
    refused: Mapping[type[ServerError], int]
    moved: int


_GIVES_WAY_AFTER_S: Final = 10.0
"""Seconds without a frame after which a stream gives way to a new one. Chosen, not measured: a camera that sends on movement
may be silent for longer, and opens a new stream then."""


class Streams:
    """The open streams of a server, or of one of its workers."""

    def __init__(self, max_streams: int, loads: Loads | None = None) -> None:
        """Takes the most streams of all workers together, and what the others have; None: there are no others."""
        self._max_streams = max_streams
        self._loads = loads or Alone()
        self._balance = Balance(self._loads)
        self._open: dict[Session, str] = {}  # with the connection of each
        self._opened = 0
        self._refused: Counter[type[ServerError]] = Counter()
        self._moved = 0
        self._draining = False

    def __len__(self) -> int:
        """Number of open streams."""
        return len(self._open)

    def __iter__(self) -> Iterator[Session]:
        """The open streams, oldest first."""
        return iter(tuple(self._open))

    @contextmanager
    def admitted(self, session: Session, connection: str) -> Iterator[None]:
        """Registers the stream as open for the block.

        If as many are open as may be, the one of this process that has sent no frame for longest gives way, so that no client
        keeps others out with streams that it does not use.

        Args:
            session: of the stream.
            connection: that it came on.

        Raises:
            WorkerBusy: another worker has fewer streams.
            TooManyStreams, ShuttingDown: it may not be opened.
        """
        # Before the others are counted: of two workers that take the last place at the same moment, each sees the other.
        self._loads.publish(self._lasting + 1)
        try:
            if (refusal := self._refusal(connection)) is not None:
                self._refused[type(refusal)] += 1
                raise refusal
            self._opened += 1
            self._open[session] = connection
            try:
                yield
            finally:
                del self._open[session]
        finally:
            self._loads.publish(self._lasting)

    def drain(self) -> None:
        """Refuses further streams and makes the open ones end."""
        self._draining = True
        for session in self:
            session.drain()

    async def keep_balance(self) -> None:
        """Moves streams to workers that have fewer, for as long as it runs."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look_at_others()

    def look_at_others(self) -> None:
        """Asks the client of at most one stream to open it again, if another worker has had fewer for long; see `Balance.look`.

        The stream opened last goes: those before were placed when a place here was right.
        """
        # On a full server another client would take the place before the one that is moved is back.
        if self._draining or not self._balance.look(self._lasting) or self._is_full():
            return
        for session, connection in reversed(self._open.items()):
            if session.can_move and self._balance.may_move(connection):
                self._balance.moved(connection)
                self._moved += 1
                session.drain(ReconnectReason.REBALANCE)
                self._loads.publish(self._lasting)
                return

    def statistics(self) -> StreamsStatistics:
        """Returns the counts now."""
        return StreamsStatistics(
            self._max_streams, len(self._open), self._opened, dict(self._refused), self._moved
        )

    @property
    def _lasting(self) -> int:
        """The open streams without those that have given way."""
        return sum(not one.has_given_way for one in self._open)

    def _refusal(self, connection: str) -> ServerError | None:
        if self._draining:
            return ShuttingDown("the server is shutting down")
        if self._balance.refuses(connection, self._lasting):
            return WorkerBusy(
                "another process of this server has fewer streams: open a new connection"
            )
        if self._is_full() and not self._made_room():
            return TooManyStreams(
                f"{self._max_streams} streams are open, the most that are allowed"
            )
        return None

    def _is_full(self) -> bool:
        return self._lasting + self._loads.elsewhere >= self._max_streams

    def _made_room(self) -> bool:
        """Ends the stream that has sent no frame for longest; returns False if it is not idle for long enough."""
        idlest = max(self._open, key=lambda one: one.idle_s, default=None)
        if idlest is None or idlest.idle_s < _GIVES_WAY_AFTER_S:
            return False
        idlest.drain(ReconnectReason.IDLE)
        return True
