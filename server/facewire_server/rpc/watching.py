"""Sends the track events of all cameras to those who watch: headers at once, then each event as it is recorded."""

import math
from contextlib import aclosing
from typing import Any, Final

from facewire.v1 import recognition_pb2
from facewire_server.errors import TooManyCalls
from facewire_server.rpc.convert_tracks import event_filter, watched_message
from facewire_server.rpc.places import WaitingRoom
from facewire_server.streams.journal import Feed, Journal
from facewire_server.work.within import read_within

__all__ = ["AFTER_EVENT_KEY", "Watching"]

AFTER_EVENT_KEY: Final = "facewire-after-event"
"""Key of the header that names the event which a feed follows."""

_MAX_WATCHERS: Final = 32
"""Watchers at once: half of the calls that may be in progress beside streams, so that others find room. Chosen, not measured."""


class Watching:
    """The watchers of one server."""

    def __init__(self, journal: Journal, slow_reader_timeout_s: float) -> None:
        """Takes the journal, and the seconds that a watcher may leave an event unread."""
        self._journal = journal
        self._slow_reader_timeout_s = slow_reader_timeout_s
        self._room = WaitingRoom(_MAX_WATCHERS)

    def drain(self) -> None:
        """Ends all watchers with ShuttingDown, and refuses others."""
        self._room.close()

    async def serve(self, request: recognition_pb2.WatchTracksRequest, context: Any) -> None:
        """Serves one watcher.

        Raises:
            InvalidField: a filter is out of range.
            TooManyCalls: there are as many watchers as may be.
            ShuttingDown, SlowReader: the watcher is ended.
        """
        wanted = event_filter(request)
        feed = await self._journal.watch(request.after_event, wanted, kept_only=request.kept_only)
        async with aclosing(feed.events):
            # Only now: others may have come meanwhile, and one too many would take the place of another in the room.
            if len(self._room) >= _MAX_WATCHERS:
                raise TooManyCalls(f"{_MAX_WATCHERS} clients watch tracks, the most that may")
            await self._room.wait(context.peer(), self._send(feed, context), math.inf)

    async def _send(self, feed: Feed, context: Any) -> None:
        async with read_within(self._slow_reader_timeout_s):
            await context.send_initial_metadata(((AFTER_EVENT_KEY, str(feed.after_event)),))
        async for watched in feed.events:
            message = watched_message(watched)
            async with read_within(self._slow_reader_timeout_s):
                await context.write(message)
