"""Which unknown person a visit shows: whom it resembles as much as a gallery's person must be resembled."""

from collections.abc import Sequence

from facewire_server.streams.unknown.values import UnknownPerson, UnknownVisit
from facewire_server.types import DecisionPolicy

__all__ = ["person_of"]


def person_of(
    visit: UnknownVisit, people: Sequence[UnknownPerson], policy: DecisionPolicy
) -> UnknownPerson | None:
    """Returns the person whom a visit shows; None if it is another one.

    What is compared is the mean similarity of the visit's looks and the person's: of their means' directions, strangers would reach a
    threshold several times as often (docs/verdicts.md). The people are a gallery of their own, by whose size the threshold is.

    Args:
        visit: of an unknown person.
        people: of the same gallery.
        policy: of a request that sets none.
    """
    for person in people:  # a track is one person's, whatever its looks resemble
        if any(one.track_id == visit.track_id for one in person.visits):
            return person
    if not people:
        return None
    nearest = max(people, key=lambda person: _similarity(visit, person))
    threshold = policy.threshold_among(len(people)).value
    return nearest if _similarity(visit, nearest) >= threshold else None


def _similarity(visit: UnknownVisit, person: UnknownPerson) -> float:
    return float(visit.looks_mean @ person.looks_mean)
