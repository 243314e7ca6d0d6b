"""Whom the open tracks of a stream were named after last: of an identity that was merged meanwhile, whose id is gone, the reference remains."""

from collections.abc import Iterable, Sequence

from facewire_server.galleries.ports import People
from facewire_server.galleries.records import PersonReference
from facewire_server.streams.kept_events import KeptEvent, Names, References, named_people
from facewire_server.types import TrackEvent, TrackState

__all__ = ["KnownReferences"]


class KnownReferences:
    """The references that the events of one stream get, remembered by track until it ends.

    A name stands for a track until the track is decided again. If the identity is merged into another one before, the gallery finds
    none of its id, as if the person had been deleted; but the reference that it had leads to the other identity.
    """

    def __init__(self, people: People) -> None:
        """Starts without tracks; the gallery resolves references."""
        self._people = people
        self._of_tracks: dict[int, dict[str, PersonReference]] = {}

    def resume(self, kept: Iterable[KeptEvent], names: Names) -> None:
        """Takes the last event of each open track, and the names that the stream got for the people in them."""
        for one in kept:
            found = {names[person].identity_id: person for person in one.people if person in names}
            self._remember(one.event, found)

    async def of(self, events: Sequence[TrackEvent]) -> list[References]:
        """Returns for each event, all of one gallery, the references of those whom it names; without people who were deleted."""
        ids = frozenset[str]().union(*map(named_people, events))
        present = await self._people.references(events[0].gallery_id, ids) if ids else {}
        absent = [self._remembered(event, present) for event in events]
        asked = frozenset[PersonReference]().union(*(one.values() for one in absent))
        names = await self._people.names(asked) if asked else {}
        found: list[References] = []
        for event, remembered in zip(events, absent, strict=True):
            merged = {name: person for name, person in remembered.items() if person in names}
            own = {name: present[name] for name in named_people(event) & present.keys()} | merged
            self._remember(event, own)
            found.append(own)
        return found

    def _remembered(self, event: TrackEvent, present: References) -> dict[str, PersonReference]:
        known = self._of_tracks.get(event.track_id, {})
        return {name: known[name] for name in (named_people(event) & known.keys()) - present.keys()}

    def _remember(self, event: TrackEvent, found: dict[str, PersonReference]) -> None:
        if event.state is TrackState.ENDED:
            self._of_tracks.pop(event.track_id, None)
        elif found:
            self._of_tracks[event.track_id] = found
