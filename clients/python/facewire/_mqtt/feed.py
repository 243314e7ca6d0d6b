"""The feed of track events for months: one event at a time, and the next one only when that was published.

Nothing piles up here while the broker is away: events stay in the server's journal, and the feed goes on after the last
one that was published.
"""

import asyncio
from collections.abc import Callable, Sequence

from facewire import AsyncClient, FacewireError, TrackEvent
from facewire._wire.backoff import Backoff

__all__ = ["EventFeed"]


class EventFeed:
    """Reads events ahead by one."""

    def __init__(
        self,
        client: AsyncClient,
        *,
        cameras: Sequence[str],
        after_event: int,
        report: Callable[[FacewireError, float], object],
    ) -> None:
        """Takes the last event that was published before; 0: what happens from now on."""
        self._client = client
        self._cameras = cameras
        self._after = after_event
        self._report = report
        self._ahead: asyncio.Queue[tuple[TrackEvent, bool]] = asyncio.Queue(maxsize=1)
        self._backoff = Backoff()

    async def read(self) -> None:
        """Reads until it is cancelled.

        Raises:
            FacewireError: what does not pass by itself, such as a token that is refused.
        """
        while True:
            try:
                await self._read_one_feed()
            except (
                FacewireError
            ) as error:  # the server was not there at the start, or the feed gave up
                if not error.retryable:
                    raise
                pause_s = self._backoff.next_s()
                self._report(error, pause_s)
                await asyncio.sleep(pause_s)

    async def next(self) -> tuple[TrackEvent, bool]:
        """Waits for the next event, and says whether others before it are lost. May be cancelled without losing one."""
        return await self._ahead.get()

    async def _read_one_feed(self) -> None:
        feed = self._client.watch_tracks(
            cameras=self._cameras, after_event=self._after, on_reopen=self._report
        )
        noted = 0
        async with feed:
            async for event in feed:
                self._backoff.reset()
                await self._ahead.put((event, feed.loss_count > noted))
                noted = feed.loss_count
                self._after = event.event_id
