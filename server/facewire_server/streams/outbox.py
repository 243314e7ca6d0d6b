"""The events of one stream on their way from its camera to the client: each is in the journal before it is sent."""

import asyncio
from contextlib import suppress
from typing import NoReturn

from facewire_server.streams.camera.camera import Camera
from facewire_server.streams.journal import NOT_ITS_STREAM, Journal, JournaledStream
from facewire_server.streams.tally import Tally
from facewire_server.types import TrackEvent

__all__ = ["Outbox"]


class Outbox:
    """Records the events of a camera in order, also if the stream breaks off meanwhile."""

    def __init__(
        self, camera: Camera, journal: Journal, stream: JournaledStream, tally: Tally
    ) -> None:
        """Starts without events.

        Args:
            camera: of the stream; no call of it may run while events are recorded.
            journal: keeps pictures of tracks.
            stream: of the journal.
            tally: counts the events.
        """
        self._tally = tally
        self._journal = journal
        self._camera = camera
        self._stream = stream
        self._recording: asyncio.Task[None] | None = None
        self._set_aside: list[TrackEvent] = []

    @property
    def has_events(self) -> bool:
        """Whether there are recorded events that no frame takes along."""
        return bool(self._set_aside)

    async def record(self) -> None:
        """Records what the camera has found since the last call, and sets it aside.

        Raises:
            StreamTakenOver: another stream goes on with the tracks.
        """
        if self._recording is not None:  # the caller of the last call may have been cancelled
            await asyncio.shield(self._recording)
        for track_id, crop in self._camera.take_portraits().items():
            await self._journal.keep_crop(track_id, crop)
        events = self._camera.take_events()
        if events:
            # A caller that is cancelled here must not lose events that may be recorded already.
            self._recording = asyncio.create_task(self._record(events))
            await asyncio.shield(self._recording)
            await self.save()

    async def _record(self, events: list[TrackEvent]) -> None:
        recorded = await self._stream.record(events)
        for event in recorded:
            self._tally.changed(event)
        self._set_aside += recorded

    def take(self) -> tuple[TrackEvent, ...]:
        """Returns the recorded events that are to be sent now."""
        taken, self._set_aside = tuple(self._set_aside), []
        return taken

    def account(self, sequence: int) -> None:
        """Keeps that frames up to this one are accounted for; to be called before the client is informed.

        Raises:
            StreamTakenOver: another stream goes on with them.
        """
        self._stream.account(sequence)

    async def save(self) -> None:
        """Keeps where the tracks are.

        Raises:
            StreamTakenOver: another stream goes on with them.
        """
        numbers = self._camera.numbers()
        if numbers:
            await self._stream.save(numbers)

    async def until_taken_over(self) -> NoReturn:
        """Raises StreamTakenOver as soon as another stream goes on with the tracks, StreamForgotten if they were ended."""
        await self._stream.taken_over()

    async def end(self) -> None:
        """Ends all tracks, and the stream: it cannot be resumed.

        Raises:
            StreamTakenOver: another stream goes on with it.
        """
        self._camera.end()
        await self.record()
        self._set_aside += await self._stream.end()

    async def break_off(self) -> None:
        """Records what is left; the stream may be resumed from here. A second call does nothing, nor one after `end`."""
        self._camera.break_off()
        try:
            with suppress(*NOT_ITS_STREAM):
                await self.record()
                await self.save()
        finally:
            self._stream.break_off()
