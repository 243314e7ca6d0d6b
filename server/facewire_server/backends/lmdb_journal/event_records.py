"""Converts events without names to their stored records and back."""

from facewire_server.backends.lmdb_journal import records_pb2 as records
from facewire_server.galleries.records import PersonReference
from facewire_server.streams.kept_events import KeptEvent
from facewire_server.thresholds import ThresholdSource
from facewire_server.types import (
    Candidate,
    Decision,
    Outcome,
    TrackEvent,
    TrackReason,
    TrackState,
)

__all__ = ["event_record", "kept_of"]


def event_record(kept: KeptEvent) -> records.Event:
    """Returns the record of an event, without its id."""
    event = kept.event
    return records.Event(
        camera_id=event.camera_id,
        gallery_id=event.gallery_id,
        track_id=event.track_id,
        visit_id=event.visit_id,
        state=event.state.value,
        reason=event.reason.value,
        decision=_decision_record(event.decision),
        first_sequence=event.first_sequence,
        last_sequence=event.last_sequence,
        first_seen_us=event.first_seen_us,
        last_seen_us=event.last_seen_us,
        server_time_us=event.server_time_us,
        best=_person_record(kept.best),
        between=[record for record in map(_person_record, kept.between) if record],
        previous=_person_record(kept.previous),
        presentation_attack=event.presentation_attack,
    )


def kept_of(event_id: int, record: records.Event) -> KeptEvent:
    """Returns the event of a record; raises ValueError for a word that this version does not know."""
    gallery_id = record.gallery_id
    event = TrackEvent(
        camera_id=record.camera_id,
        gallery_id=gallery_id,
        track_id=record.track_id,
        visit_id=record.visit_id,
        state=TrackState(record.state),
        reason=TrackReason(record.reason),
        decision=_decision_of(record.decision),
        first_sequence=record.first_sequence,
        last_sequence=record.last_sequence,
        first_seen_us=record.first_seen_us,
        last_seen_us=record.last_seen_us,
        server_time_us=record.server_time_us,
        event_id=event_id,
        presentation_attack=record.presentation_attack
        if record.HasField("presentation_attack")
        else None,
    )
    return KeptEvent(
        event,
        best=_person_of(gallery_id, record.best) if record.HasField("best") else None,
        between=tuple(_person_of(gallery_id, one) for one in record.between),
        previous=_person_of(gallery_id, record.previous) if record.HasField("previous") else None,
    )


def _decision_record(decision: Decision) -> records.Decision:
    return records.Decision(
        outcome=decision.outcome.value,
        similarity=decision.best.similarity if decision.best else None,
        margin=decision.margin,
        threshold=decision.threshold,
        gallery_revision=decision.gallery_revision,
        threshold_source=decision.threshold_source.value,
        between_similarities=[one.similarity for one in decision.ambiguous_between],
        look_count=decision.look_count,
    )


def _decision_of(record: records.Decision) -> Decision:
    best = _nameless(record.similarity) if record.HasField("similarity") else None
    return Decision(
        Outcome(record.outcome),
        best=best,
        margin=record.margin,
        threshold=record.threshold,
        gallery_revision=record.gallery_revision,
        threshold_source=ThresholdSource(record.threshold_source),
        ambiguous_between=tuple(map(_nameless, record.between_similarities)),
        look_count=record.look_count,
    )


def _nameless(similarity: float) -> Candidate:
    return Candidate("", "", similarity, "")


def _person_record(person: PersonReference | None) -> records.Person | None:
    if person is None:
        return None
    return records.Person(number=person.number, created_at_us=person.created_at_us)


def _person_of(gallery_id: str, record: records.Person) -> PersonReference:
    return PersonReference(gallery_id, record.number, record.created_at_us)
