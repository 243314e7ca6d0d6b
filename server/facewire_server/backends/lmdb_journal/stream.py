"""The port `JournaledStream` on LMDB."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from facewire_server.backends.lmdb_journal.recorder import Recorder
from facewire_server.backends.lmdb_journal.stream_table import Claim, key_of
from facewire_server.backends.lmdb_journal.writes import Writes
from facewire_server.streams.journal import NOT_ITS_STREAM, OpenTrack
from facewire_server.streams.known_references import KnownReferences
from facewire_server.types import TrackEvent

__all__ = ["LmdbStream"]


class LmdbStream:
    """One open stream.

    Attributes:
        token, after_sequence, tracks: see the port; the token is empty if nothing of the stream can be kept.
        claim: of the stream; None if nothing of it can be kept.
    """

    def __init__(
        self,
        recorder: Recorder,
        claim: Claim | None,
        tracks: Sequence[OpenTrack] = (),
        *,
        known: KnownReferences | None = None,
        parted: Callable[["LmdbStream"], None] = lambda stream: None,
    ) -> None:
        """Takes what was opened; `parted` is called when it has ended or broken off, and `known` is of its open tracks."""
        self.token = claim.token if claim else b""
        self.after_sequence = claim.after_sequence if claim else 0
        self.tracks = tracks
        self.claim = claim
        self._recorder = recorder
        self._known = known or KnownReferences(recorder.people)
        self._accounts = recorder.storage.accounts
        self._displaced = asyncio.Event()
        self._parted = parted

    def account(self, sequence: int) -> None:
        """See the port."""
        if self.claim is not None:
            self._accounts.account(self.claim.slot, self.claim.generation, sequence)

    async def record(self, events: Sequence[TrackEvent]) -> tuple[TrackEvent, ...]:
        """See the port."""
        return await self._recorder.record(self.claim, events, self._known)

    async def save(self, numbers: Mapping[int, Sequence[float]]) -> None:
        """See the port."""
        if (claim := self.claim) is None:
            return

        def change(writes: Writes) -> None:
            self.require()
            writes.streams.save(key_of(claim.token), numbers)

        with self._recorder.surviving():
            await self._recorder.storage.write(change)

    async def taken_over(self) -> NoReturn:
        """See the port."""
        while True:
            await self._displaced.wait()
            self.require()

    async def end(self) -> tuple[TrackEvent, ...]:
        """See the port."""
        if self.claim is None:
            return ()
        ended = await self._recorder.end(self.claim)
        self._parted(self)
        return ended

    def break_off(self) -> None:
        """See the port."""
        self.refresh()
        self._parted(self)

    def require(self) -> None:
        """Raises StreamTakenOver or StreamForgotten if this is no longer the stream's owner."""
        if self.claim is not None:
            self._accounts.require(self.claim.slot, self.claim.generation)

    def refresh(self) -> bool:
        """Keeps that the stream is open now; returns False if another one was opened with its token."""
        if self.claim is None:
            return True
        try:
            self.require()
        except NOT_ITS_STREAM:
            self._displaced.set()
            return False
        self._accounts.set_alive(self.claim.slot, self._recorder.storage.now_us())
        return True
