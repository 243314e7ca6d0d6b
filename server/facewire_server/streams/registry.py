"""The open streams of a server: bounds their number, and ends them when the server stops."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from facewire_server.errors import ServerError, ShuttingDown, TooManyStreams
from facewire_server.streams.session import Session

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
        if len(self._open) >= self._max_streams:
            return TooManyStreams(
                f"{self._max_streams} streams are open, the most that are allowed"
            )
        return None
