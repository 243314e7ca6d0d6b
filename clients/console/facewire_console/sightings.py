"""Who was seen: the latest track events of all cameras.

Kept events name people by id only. A name is read from the gallery when it is shown, so that what is kept here does not
outlive a deletion. Events of a person who is no longer in the gallery are read again: if another client has merged the
person into another one, the server's are about that one.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from facewire import AsyncClient, Candidate, FacewireError, TrackEvent
from facewire_console.errors import Refused
from facewire_console.following import Following
from facewire_console.names import Names, PresentNames
from facewire_console.shapes import event_json

__all__ = ["Sightings"]

_MAX_EVENTS: Final = 2000
"""Events that are kept: about 2 MB. Chosen, not measured."""

_MAX_WATCHERS: Final = 64
"""Pages that follow events at the same time. Chosen, not measured."""

_MAX_NAMES: Final = 3 * _MAX_EVENTS
"""Names that are kept: those of all events. An event has at most the two people it lies between, and the one named before."""

_READ_AGAIN_S: Final = 5.0
"""Seconds in which events are read again; events that were not are tried at the next request. Chosen, not measured."""

_FIRST_S: Final = 2.0
"""Seconds for which the first request waits until the feed is open. Chosen, not measured."""

_PAUSE_S: Final = 10.0
"""Seconds until a feed that was refused is tried again: the token may be changed meanwhile. Chosen, not measured."""

_ALL_KEPT: Final = 1
"""`after_event` of a feed that begins with the oldest event that is kept."""


class Sightings:
    """The events of all cameras, in bounded memory. For one event loop."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._events: deque[TrackEvent] = deque(maxlen=_MAX_EVENTS)
        self._watchers: set[Following] = set()
        self._names = Names(client, _MAX_NAMES)
        self._reading_again = asyncio.Lock()
        self._settled = asyncio.Event()
        self._refused_by: FacewireError | None = None

    async def watch(self) -> None:
        """Follows the server's events until it is cancelled; goes on when the server is back."""
        last = _ALL_KEPT
        while True:
            feed = self._client.watch_tracks(after_event=last)
            try:
                async with feed:
                    self._refused_by = None
                    self._settled.set()
                    async for event in feed:
                        last = event.event_id
                        self._take(event)
            except FacewireError as error:
                self._refused_by = error
                self._settled.set()
            await asyncio.sleep(_PAUSE_S)

    @property
    def is_watching(self) -> bool:
        """Whether the feed is open."""
        return self._settled.is_set() and self._refused_by is None

    async def latest(self, gallery: str, camera: str | None, limit: int) -> list[dict[str, Any]]:
        """Returns the latest events of a gallery as JSON, newest first; none about deleted people.

        Args:
            gallery: the gallery that was searched.
            camera: only of this camera; None is all.
            limit: at most this many.

        Raises:
            FacewireError: the server does not let the console watch, or cannot be asked for names.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), _FIRST_S)
        if self._refused_by is not None and not self._events:
            raise self._refused_by
        shown, gone = await self._shown(gallery, camera, limit)
        if gone:
            await self._read_again(gallery, gone)
            shown, _ = await self._shown(gallery, camera, limit)
        return [event_json(event, name=event.name) for event in shown]

    def follow(self, gallery: str, camera: str | None) -> Following:
        """Returns a view of the events of a gallery, which follows them once it is entered.

        Args:
            gallery: the gallery that was searched.
            camera: only of this camera; None is all.

        Raises:
            Refused: too many follow already.
        """
        if len(self._watchers) >= _MAX_WATCHERS:
            raise Refused(429, "TOO_MANY_WATCHERS", "too many pages follow events already")
        return Following(self._watchers, gallery, camera)

    def forget(self, gallery: str, identity_id: str) -> None:
        """Forgets a person who was deleted: the name, and all events."""
        self._names.forget(gallery, identity_id)
        self._replace(gallery, {identity_id}, {})

    def _matching(self, gallery: str, camera: str | None) -> Iterator[TrackEvent]:
        for event in reversed(self._events):
            if event.gallery_id == gallery and camera in (None, event.camera_id):
                yield event

    def _take(self, event: TrackEvent) -> None:
        self._events.append(_named(event, {}))
        for following in list(self._watchers):
            following.take(event)

    def _replace(
        self, gallery: str, people: Collection[str], events: dict[int, TrackEvent]
    ) -> None:
        """Puts other events, by their numbers, in the places of those of some people; one about them without another is dropped."""

        def other(event: TrackEvent) -> TrackEvent | None:
            if event.gallery_id != gallery or _people(event).isdisjoint(people):
                return event
            if event.event_id in events or not _about(event).isdisjoint(people):
                return events.get(event.event_id)
            return replace(event, previous_identity_id="")

        kept = [other(event) for event in self._events]
        self._events.clear()
        self._events.extend(event for event in kept if event is not None)

    async def _read_again(self, gallery: str, people: Collection[str]) -> None:
        """Reads the events of people who are no longer in the gallery: the server has those that are about others now."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READ_AGAIN_S), self._reading_again:
                old = {
                    event.event_id
                    for event in self._matching(gallery, None)
                    if not _people(event).isdisjoint(people)
                }
                if not old:  # another request has read them
                    return
                after = max(_ALL_KEPT, min(old) - 1)
                feed = self._client.watch_tracks(after_event=after, kept_only=True)
                async with feed:
                    read = [_named(event, {}) async for event in feed if event.event_id in old]
                about_others = (each for each in read if _people(each).isdisjoint(people))
                self._replace(gallery, people, {each.event_id: each for each in about_others})

    async def _shown(
        self, gallery: str, camera: str | None, limit: int
    ) -> tuple[list[TrackEvent], set[str]]:
        """Returns events with their names, newest first, and those of their people who are not in the gallery.

        It reads names only as far as it must: of the newest events, and of further ones for those that are not shown.
        """
        matching = iter(list(self._matching(gallery, camera)))
        names: PresentNames = {}
        shown: list[TrackEvent] = []
        while some := list(islice(matching, limit - len(shown))):
            people = frozenset[str]().union(*map(_people, some)) - names.keys()
            names |= await self._names.of(gallery, people)
            shown += (
                _named(event, names)
                for event in some
                if all(names[each] is not None for each in _about(event))
            )
        return shown, {identity_id for identity_id, name in names.items() if name is None}


def _named_in(event: TrackEvent) -> list[Candidate]:
    """Returns the people whom an event's decision names: one, or those between whom it lies."""
    decision = event.decision
    one = Candidate(decision.identity_id, decision.display_name, decision.similarity, "")
    return [*([one] if one.identity_id else []), *decision.ambiguous_between]


def _about(event: TrackEvent) -> frozenset[str]:
    """Returns the ids of the people whom an event's decision names."""
    return frozenset(each.identity_id for each in _named_in(event))


def _people(event: TrackEvent) -> frozenset[str]:
    """Returns the ids of all people in an event: also of who was named before, if it takes a name back."""
    return _about(event) | ({event.previous_identity_id} - {""})


def _named(event: TrackEvent, names: PresentNames) -> TrackEvent:
    """Returns an event with the names of its people; with none of who is not in `names`."""
    decision = event.decision
    between = tuple(
        replace(each, display_name=names.get(each.identity_id) or "")
        for each in decision.ambiguous_between
    )
    name = names.get(decision.identity_id) or ""
    return replace(event, decision=replace(decision, display_name=name, ambiguous_between=between))
