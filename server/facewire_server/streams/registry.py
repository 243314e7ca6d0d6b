"""The open streams: how many there may be, and their end when the server stops."""

from collections.abc import Iterator
from contextlib import contextmanager

from facewire_server.errors import ShuttingDown, TooManyStreams
from facewire_server.streams.session import Session

__all__ = ["Streams"]


class Streams:
    """The open streams of a server."""

    def __init__(self, max_streams: int) -> None:
        self._max_streams = max_streams
        self._open: dict[Session, None] = {}
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
        if self._draining:
            raise ShuttingDown("the server is shutting down")
        if len(self._open) >= self._max_streams:
            raise TooManyStreams(f"{self._max_streams} streams are open, which is the most")
        self._open[session] = None
        try:
            yield
        finally:
            del self._open[session]

    def drain(self) -> None:
        """Opens no more streams and makes the open ones end."""
        self._draining = True
        for session in self:
            session.drain()
