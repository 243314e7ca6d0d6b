"""One page that follows the events: those that wait for it, in bounded memory."""

import asyncio
from typing import Final, Self

from facewire import TrackEvent

__all__ = ["Following"]

_MAX_UNREAD: Final = 256
"""Events that wait for a page that reads slowly, before it is let go. Chosen, not measured."""


class Following:
    """One page's view of the events from now on; a context manager, which ends it."""

    def __init__(self, watchers: "set[Following]", gallery: str, camera: str | None) -> None:
        self._watchers = watchers
        self._gallery = gallery
        self._camera = camera
        self._unread: asyncio.Queue[TrackEvent | None] = asyncio.Queue()

    def __enter__(self) -> Self:
        self._watchers.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._watchers.discard(self)

    async def next(self) -> TrackEvent | None:
        """Waits for the next event; None ends it: too many were left unread."""
        return await self._unread.get()

    def take(self, event: TrackEvent) -> None:
        """Takes an event, if it is of this view."""
        if event.gallery_id != self._gallery or self._camera not in (None, event.camera_id):
            return
        if self._unread.qsize() < _MAX_UNREAD:
            self._unread.put_nowait(event)
        else:
            self._watchers.discard(self)
            self._unread.put_nowait(None)
