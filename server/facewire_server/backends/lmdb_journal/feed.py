"""The events for one watcher: read in small batches, named just before they are sent."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from facewire_server.backends.lmdb_journal.entries import Entries
from facewire_server.backends.lmdb_journal.recorder import Recorder
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.streams.journal import EventFilter, WatchedEvent
from facewire_server.streams.kept_events import KeptEvent, Names, matches, people_of
from facewire_server.types import TrackEvent

__all__ = ["Position", "read_feed"]

_BATCH: Final = 64
"""Events read at a time; their names are read again if a gallery changes before they are sent. Chosen, not measured."""

_POLL_S: Final = 0.1
"""Seconds between two looks for events of other processes; those of this one wake their watchers. A look costs microseconds. Chosen,
not measured."""


@dataclass(slots=True)
class Position:
    """Where a feed is.

    Attributes:
        event_id: the last event that was looked at.
        last: the last one to look at; None: the feed does not end.
        is_lost: events before the next one are no longer kept.
    """

    event_id: int
    last: int | None
    is_lost: bool


async def read_feed(
    recorder: Recorder, position: Position, wanted: EventFilter
) -> AsyncGenerator[WatchedEvent, None]:
    """Yields the events after the position that are wanted and not about a person who was deleted."""
    while position.last is None or position.event_id < position.last:
        seen = recorder.storage.accounts.last_event, recorder.commits
        batch, last_event = await recorder.storage.read(partial(_batch, after=position.event_id))
        if not batch:
            position.event_id = max(position.event_id, last_event)  # those in between were removed
            if position.last is not None:
                return
            await _news(recorder, seen, position.event_id)
        async with contextlib.aclosing(_named(recorder, batch)) as events:
            async for kept, event in events:
                if position.last is not None and kept.event.event_id > position.last:
                    return
                if event is not None and kept.is_wanted(wanted) and matches(event, wanted):
                    yield WatchedEvent(event, position.is_lost)
                    position.is_lost = False
                position.event_id = kept.event.event_id


async def _named(
    recorder: Recorder, batch: list[KeptEvent]
) -> AsyncGenerator[tuple[KeptEvent, TrackEvent | None], None]:
    """Yields each event with its names; None for one about a person who was deleted by the time that it is taken."""
    people = recorder.people
    seen: int | None = None
    names: Names = {}
    for number, kept in enumerate(batch):
        if kept.people and (seen is None or people.change_count() != seen):
            seen = people.change_count()
            names = await recorder.names(people_of(batch[number:]))
        yield kept, kept.named(names)


async def _news(recorder: Recorder, seen: tuple[int, int], after: int) -> None:
    """Waits until there may be an event after one.

    Args:
        recorder: of this process, which notifies.
        seen: the last event and the number of commits of this process, from before the last look.
        after: the last event that was looked at.
    """
    accounts = recorder.storage.accounts

    def is_new() -> bool:
        return (accounts.last_event, recorder.commits) != seen

    while not is_new():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await recorder.recorded.until(is_new)
        if accounts.last_event > after:  # another process had not committed it yet at the last look
            return


def _batch(transaction: Transaction, after: int) -> tuple[list[KeptEvent], int]:
    entries = Entries(transaction)
    found = [
        replace(kept, event=replace(kept.event, has_crop=entries.crops.has(kept.event.track_id)))
        for kept in entries.after(after, _BATCH)
    ]
    return found, entries.last_event
