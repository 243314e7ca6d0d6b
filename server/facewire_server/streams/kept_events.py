"""Track events as a journal keeps them: people are references, which the gallery turns into names when an event is read."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from facewire_server.galleries.ids import composed
from facewire_server.galleries.records import PersonName, PersonReference
from facewire_server.streams.journal import EventFilter
from facewire_server.types import Candidate, Decision, Outcome, TrackEvent, TrackReason, TrackState

__all__ = [
    "KeptEvent",
    "Names",
    "References",
    "ended_event",
    "is_about_deleted",
    "kept_event",
    "matches",
    "named_people",
    "people_of",
    "unnamed_event",
]

References = Mapping[str, PersonReference]
"""The people of one gallery by identity id."""

Names = Mapping[PersonReference, PersonName]
"""The people who exist now."""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event without names, identity ids and template ids.

    Attributes:
        event: without those.
        best: who the decision recognized; None unless its outcome is KNOWN.
        between: who it lies between, in order; empty unless its outcome is AMBIGUOUS.
        previous: who was retracted; None if no person was, or a person who was deleted.
    """

    event: TrackEvent
    best: PersonReference | None = None
    between: tuple[PersonReference, ...] = ()
    previous: PersonReference | None = None

    @property
    def about(self) -> frozenset[PersonReference]:
        """The people without whom there is no such event."""
        return frozenset({*self.between, *({self.best} if self.best else ())})

    @property
    def people(self) -> frozenset[PersonReference]:
        """All people that it refers to."""
        return self.about | ({self.previous} if self.previous else frozenset())

    def is_wanted(self, wanted: EventFilter) -> bool:
        """Whether camera and state are wanted; `named` looks at the people."""
        event = self.event
        return (
            (not wanted.camera_ids or event.camera_id in wanted.camera_ids)
            and (not wanted.states or event.state in wanted.states)
            and are_of_galleries([event], wanted.gallery_ids)
        )

    def named(self, names: Names) -> TrackEvent | None:
        """Returns the event with its names; None if a person that it is about was deleted.

        A retraction of a person who was deleted stays, and says no name. A decision between two identities that were merged
        is KNOWN: its runner-up, whose lead it lacked, is the same person.
        """
        if not names.keys() >= self.about:
            return None
        decision = self.event.decision
        if self.best:
            decision = replace(decision, best=_named(decision.best, names[self.best]))
        if self.between:
            both = zip(decision.ambiguous_between, self.between, strict=True)
            between = tuple(_named(one, names[person]) for one, person in both)
            decision = replace(decision, best=between[0], ambiguous_between=between)
            if len({names[person] for person in self.between}) == 1:
                decision = replace(
                    decision, outcome=Outcome.KNOWN, margin=0.0, ambiguous_between=()
                )
        previous = names.get(self.previous) if self.previous else None
        return replace(
            self.event,
            decision=decision,
            previous_identity_id=previous.identity_id if previous else "",
        )

    def without_deleted(self, names: Names) -> "KeptEvent | None":
        """Returns the event without the people who were deleted; None if it was about one."""
        if not names.keys() >= self.about:
            return None
        is_known = self.previous is None or self.previous in names
        return self if is_known else replace(self, previous=None)

    def open_event(self, names: Names) -> TrackEvent:
        """Returns the event for whoever goes on with its track: of a deleted person with a PENDING decision."""
        return self.named(names) or unnamed_event(self.event).event


def are_of_galleries(events: Iterable[TrackEvent], gallery_ids: Collection[str]) -> bool:
    """Whether there are events, and all are of streams with these galleries; no ids = any gallery, and no event."""
    found = {event.gallery_id for event in events}
    return not gallery_ids or (bool(found) and found.issubset(gallery_ids))


def people_of(events: Iterable[KeptEvent]) -> frozenset[PersonReference]:
    """Returns the people that events refer to."""
    return frozenset().union(*(event.people for event in events))


def named_people(event: TrackEvent) -> frozenset[str]:
    """Returns the identity ids that an event names."""
    decision = event.decision
    found = {event.previous_identity_id, *(one.identity_id for one in decision.ambiguous_between)}
    if decision.identity:
        found.add(decision.identity.identity_id)
    return frozenset(found - {""})


def kept_event(event: TrackEvent, references: References) -> KeptEvent | None:
    """Returns the event with references; None if a person that it is about does not exist any more."""
    decision = event.decision
    identity = decision.identity
    about = [one.identity_id for one in ([identity] if identity else decision.ambiguous_between)]
    if not references.keys() >= set(about):
        return None
    people = tuple(references[one] for one in about)
    nameless = replace(
        decision,
        best=_nameless(decision.best) if decision.best else None,
        candidates=(),
        ambiguous_between=tuple(map(_nameless, decision.ambiguous_between)),
        passed_over=None,
        contenders=(),
    )
    return KeptEvent(
        replace(event, decision=nameless, previous_identity_id=""),
        best=people[0] if identity else None,
        between=() if identity else people,
        previous=references.get(event.previous_identity_id),
    )


def is_about_deleted(event: TrackEvent, kept: KeptEvent | None) -> bool:
    """Whether `kept_event` did not find a person whom the event names."""
    return kept is None or (bool(event.previous_identity_id) and kept.previous is None)


def unnamed_event(event: TrackEvent) -> KeptEvent:
    """Returns the event with a PENDING decision, without anyone."""
    before = event.decision
    pending = Decision(
        Outcome.PENDING,
        best=None,
        margin=0.0,
        threshold=before.threshold,
        gallery_revision=before.gallery_revision,
        threshold_source=before.threshold_source,
    )
    return KeptEvent(replace(event, decision=pending, previous_identity_id=""))


def ended_event(last: TrackEvent, now_us: int) -> TrackEvent:
    """Returns the event that ends a track because its stream did."""
    return replace(
        last,
        state=TrackState.ENDED,
        reason=TrackReason.STREAM_ENDED,
        previous_identity_id="",
        server_time_us=now_us,
        event_id=0,
    )


def matches(event: TrackEvent, wanted: EventFilter) -> bool:
    """Whether an event names one of the people that are wanted."""
    ids = {composed(one) for one in wanted.identity_ids}
    return not ids or not ids.isdisjoint(map(composed, named_people(event)))


def _nameless(candidate: Candidate) -> Candidate:
    return candidate._replace(identity_id="", display_name="", template_id="")


def _named(candidate: Candidate | None, person: PersonName) -> Candidate:
    similarity = candidate.similarity if candidate else 0.0
    return Candidate(person.identity_id, person.display_name, similarity, "")
