"""Whom the open tracks of a stream were named after last: of an identity that was merged meanwhile, whose id is gone, the reference remains."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from facewire_server.galleries.ports import People
from facewire_server.galleries.records import PersonReference
from facewire_server.streams.kept_events import KeptEvent, Names, References, named_people
from facewire_server.types import TrackEvent, TrackState

__all__ = ["KnownReferences"]


class _Known(NamedTuple):
    """The reference that an id of an event got, and the revision of the gallery that the event was decided with."""

    person: PersonReference
    revision: int


class KnownReferences:
    """The references that the events of one stream get, remembered by track until it ends.

    A name stands for a track until the track is decided again. If the identity is merged into another one before, the gallery finds
    none of its id, as if the person had been deleted, or finds another person who got the id since; but the reference that it had leads
    to the other identity. So the remembered reference counts until the track is decided with a newer revision, and for the name that
    a retraction takes back: a gallery never shows a revision twice, not even after a restore.
    """

    def __init__(self, people: People) -> None:
        """Starts without tracks; the gallery resolves references."""
        self._people = people
        self._of_tracks: dict[int, dict[str, _Known]] = {}

    def resume(self, kept: Iterable[KeptEvent], names: Names) -> None:
        """Takes the last event of each open track, and the names that the stream got for the people in them."""
        for one in kept:
            revision = one.event.decision.gallery_revision
            self._remember(
                one.event,
                {
                    names[person].identity_id: _Known(person, revision)
                    for person in one.people
                    if person in names
                },
            )

    async def of(self, events: Sequence[TrackEvent]) -> list[References]:
        """Returns for each event, all of one gallery, the references of those whom it names; without people who were deleted."""
        ids = frozenset[str]().union(*map(named_people, events))
        present = await self._people.references(events[0].gallery_id, ids) if ids else {}
        remembered = [self._remembered(event, present) for event in events]
        asked = frozenset(known.person for one in remembered for known in one.values())
        names = await self._people.names(asked) if asked else {}
        found: list[References] = []
        for event, known in zip(events, remembered, strict=True):
            revision = event.decision.gallery_revision
            new = (named_people(event) & present.keys()) - known.keys()
            own = {name: one for name, one in known.items() if one.person in names}
            own |= {name: _Known(present[name], revision) for name in new}
            self._remember(event, own)
            found.append({name: one.person for name, one in own.items()})
        return found

    def _remembered(self, event: TrackEvent, present: References) -> dict[str, _Known]:
        """Returns what was remembered of the names in an event, as far as it counts for them."""
        decided = named_people(replace(event, previous_identity_id=""))
        known = self._of_tracks.get(event.track_id, {})
        return {
            name: known[name]
            for name in named_people(event) & known.keys()
            if name not in present
            or name not in decided
            or event.decision.gallery_revision <= known[name].revision
        }

    def _remember(self, event: TrackEvent, found: dict[str, _Known]) -> None:
        if event.state is TrackState.ENDED:
            self._of_tracks.pop(event.track_id, None)
        elif found:
            self._of_tracks[event.track_id] = found
