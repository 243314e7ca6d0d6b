"""The open streams of a server: bounds their number, and ends them when the server stops."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from facewire_server.errors import ServerError, ShuttingDown, TooManyStreams
from facewire_server.streams.session import Session
from facewire_server.streams.values import ReconnectReason

__all__ = ["Streams", "StreamsStatistics"]


@dataclass(frozen=True, slots=True)
class StreamsStatistics:
    """The streams of a server at one moment. Counts are since its start.

    Attributes:
        max_streams: most that may be open.
        open: streams that are.
        opened: streams that were admitted, also those whose config was then refused.
        refused: streams that were not, by the error's class: TooManyStreams or ShuttingDown.
    """

    max_streams: int
    open: int
    opened: int
    refused: Mapping[type[ServerError], int]


_GIVES_WAY_AFTER_S: Final = 10.0
"""Seconds without a frame after which a stream gives way to a new one. Chosen, not measured: a camera that sends on movement
may be silent for longer, and opens a new stream then."""


class Streams:
    """The open streams of a server."""

    def __init__(self, max_streams: int) -> None:
        self._max_streams = max_streams
        self._open: dict[Session, None] = {}
        self._opened = 0
        self._refused: Counter[type[ServerError]] = Counter()
        self._draining = False

    def __len__(self) -> int:
        """Number of open streams."""
        return len(self._open)

    def __iter__(self) -> Iterator[Session]:
        """The open streams, oldest first."""
        return iter(tuple(self._open))

    @contextmanager
    def admitted(self, session: Session) -> Iterator[None]:
        """Registers the stream as open for the block.

        If as many are open as may be, the one that has sent no frame for longest gives way, so that no client keeps others
        out with streams that it does not use.

        Raises:
            TooManyStreams, ShuttingDown: it may not be opened.
        """
        if (refusal := self._refusal()) is not None:
            self._refused[type(refusal)] += 1
            raise refusal
        self._opened += 1
        self._open[session] = None
        try:
            yield
        finally:
            del self._open[session]

    def drain(self) -> None:
        """Refuses further streams and makes the open ones end."""
        self._draining = True
        for session in self:
            session.drain()

    def statistics(self) -> StreamsStatistics:
        """Returns the counts now."""
        return StreamsStatistics(
            self._max_streams, len(self._open), self._opened, dict(self._refused)
        )

    def _refusal(self) -> ServerError | None:
        if self._draining:
            return ShuttingDown("the server is shutting down")
        if self._is_full() and not self._made_room():
            return TooManyStreams(
                f"{self._max_streams} streams are open, the most that are allowed"
            )
        return None

    def _is_full(self) -> bool:
        return sum(not one.has_given_way for one in self._open) >= self._max_streams

    def _made_room(self) -> bool:
        """Ends the stream that has sent no frame for longest; returns False if it is not idle for long enough."""
        idlest = max(self._open, key=lambda one: one.idle_s)
        if idlest.idle_s < _GIVES_WAY_AFTER_S:
            return False
        idlest.drain(ReconnectReason.IDLE)
        return True
