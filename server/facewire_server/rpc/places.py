"""Counts calls: how many wait for their request, how many are in progress, and how many a connection has.

A connection is a peer's address with its port. Clients of a Unix socket have no address of their own, and those of a trusted
proxy share its connections, so no limit of a connection applies to them.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from facewire_server.errors import ShuttingDown, TimedOut, TooManyCalls
from facewire_server.rpc.forwarded import connection_of, is_forwarded

__all__ = ["Places", "WaitingRoom"]

_UNNAMED: Final = "unix:"
"""The beginning of a peer of a Unix socket, as gRPC writes it."""

ResultT = TypeVar("ResultT")


class Places:
    """The calls in progress, and the calls of each connection."""

    def __init__(self, most: int, most_others: int, most_per_connection: int) -> None:
        """Takes the most calls in progress.

        Args:
            most: of all.
            most_others: of those that are no camera's stream; the rest is kept for cameras.
            most_per_connection: open calls of one connection.
        """
        self._most = most
        self._most_others = most_others
        self._most_per_connection = most_per_connection
        self._in_progress = 0
        self._others = 0
        self._of_connection: Counter[str] = Counter()

    @property
    def in_progress(self) -> int:
        """Calls that have a place now."""
        return self._in_progress

    def connections(self) -> frozenset[str]:
        """Returns the peers that have an open call."""
        return frozenset(self._of_connection)

    def join(self, context: Any) -> None:
        """Counts a call among those of its connection until it has ended for the client, too.

        A call whose status the client does not read has not ended.

        Raises:
            TooManyCalls: its connection has as many as it may have.
        """
        peer = connection_of(context)
        is_shared = peer.startswith(_UNNAMED) or is_forwarded(context)
        most = self._most_per_connection
        if self._of_connection[peer] >= most and not is_shared:
            raise TooManyCalls(
                f"this connection has {most} open calls, the most that one may have: "
                "open another connection"
            )
        self._of_connection[peer] += 1
        context.add_done_callback(lambda _: self._part(peer))

    def _part(self, peer: str) -> None:
        self._of_connection[peer] -= 1
        if not self._of_connection[peer]:
            del self._of_connection[peer]

    def take(self, *, is_camera: bool) -> None:
        """Counts a call as in progress until `leave`.

        Raises:
            TooManyCalls: as many are in progress as may be.
        """
        if self._in_progress >= self._most:
            raise TooManyCalls(f"{self._most} calls are in progress, the most that may be")
        if not is_camera and self._others >= self._most_others:
            raise TooManyCalls(
                f"{self._most_others} calls beside streams are in progress, the most that may be"
            )
        self._in_progress += 1
        self._others += not is_camera

    def leave(self, *, is_camera: bool) -> None:
        """Ends what `take` began."""
        self._in_progress -= 1
        self._others -= not is_camera


class WaitingRoom:
    """Calls that wait: for their first message, or for a change of health.

    They cannot keep others out: if the room is full, a new call takes the place of the one that has waited
    longest on the connection with the most waiting calls. So a client that sends its request with its call,
    as gRPC's clients do, gets in.
    """

    def __init__(self, most: int, waiting: str = "were waiting for their first message") -> None:
        """Takes the most calls that wait, and what they did for the text of the error."""
        self._most = most
        self._what = waiting
        self._waiting: dict[asyncio.Timeout, str] = {}
        self._evicted: dict[asyncio.Timeout, Exception] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def connections(self) -> frozenset[str]:
        """Returns the peers that wait."""
        return frozenset(self._waiting.values())

    def of_connection(self, peer: str) -> int:
        """Returns the number of a connection's calls that wait."""
        return list(self._waiting.values()).count(peer)

    def close(self) -> None:
        """Ends all waiting, and lets none wait from now on: the server shuts down."""
        self._closed = True
        for limit in list(self._waiting):
            self._evict(limit, ShuttingDown("the server is shutting down"))

    async def wait(self, peer: str, first: Awaitable[ResultT], timeout_s: float) -> ResultT:
        """Waits for a call's first message, or for what else the room is for.

        Raises:
            TimedOut: it has not come within `timeout_s`, which may be infinite.
            TooManyCalls: another call took the place.
            ShuttingDown: the server is shutting down.
        """
        try:
            async with asyncio.timeout(timeout_s) as limit:
                self._enter(limit, peer)
                try:
                    return await first
                finally:
                    self._waiting.pop(limit, None)
        except TimeoutError:
            if not limit.expired():
                raise
            late = TimedOut(f"the call's first message did not come within {timeout_s:g} s")
            raise self._evicted.get(limit, late) from None
        finally:
            self._evicted.pop(limit, None)  # also if the message came at the same moment

    def _enter(self, limit: asyncio.Timeout, peer: str) -> None:
        if len(self._waiting) >= self._most:
            of_connection = Counter(self._waiting.values())
            crowded = max(of_connection, key=of_connection.__getitem__)
            oldest = next(each for each, owner in self._waiting.items() if owner == crowded)
            error = TooManyCalls(f"{self._most} calls {self._what}, the most that may be")
            self._evict(oldest, error)
        self._waiting[limit] = peer
        if self._closed:
            self._evict(limit, ShuttingDown("the server is shutting down"))

    def _evict(self, limit: asyncio.Timeout, error: Exception) -> None:
        del self._waiting[limit]
        if not limit.expired():
            self._evicted[limit] = error
            limit.reschedule(asyncio.get_running_loop().time())
