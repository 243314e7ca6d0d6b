"""One track of a stream that has not ended: the verdict about its person, and what its events say."""

from dataclasses import dataclass, field
from typing import NamedTuple

from facewire_server.pipeline.attacks import NOT_SCORED, AttackScore
from facewire_server.streams.journal import Crop
from facewire_server.streams.unknown import UnknownVisit
from facewire_server.streams.verdicts import Change, Verdict
from facewire_server.types import Outcome, Quality, TrackEvent

__all__ = ["Moment", "Person", "event_of", "unknown_visit"]


class Moment(NamedTuple):
    """A frame in time.

    Attributes:
        at_s: on the stream's track clock.
        sequence: of the frame.
        arrived_us: microseconds since 1970-01-01 UTC.
    """

    at_s: float
    sequence: int
    arrived_us: int


@dataclass(slots=True, eq=False)
class Person:
    """A person in front of the camera.

    Attributes:
        track_id, visit_id: of the track.
        first, last: the frames that showed it.
        verdict: who it is.
        quality: of the last crop that was cut; None = none was.
        tried_at_s: when the face was last to be embedded, whether it was good enough or not.
        is_due: the verdict's probe is to be searched for.
        is_poor: the face in the last frame is TOO_POOR, and the verdict does not know it yet.
        portrait: the best picture so far, if pictures are kept.
        was_named: the verdict has stood on an identity: what was seen is not an unknown person's, also if the identity is deleted.
        attacks: what the looks say about a presentation attack.
    """

    track_id: int
    visit_id: int
    first: Moment
    last: Moment
    verdict: Verdict = field(default_factory=Verdict)
    quality: Quality | None = None
    tried_at_s: float = float("-inf")
    is_due: bool = False
    is_poor: bool = False
    portrait: Crop | None = None
    was_named: bool = False
    attacks: AttackScore = NOT_SCORED

    @property
    def portrait_px(self) -> float:
        """Distance of the eyes in the best picture; 0 = there is none."""
        return self.portrait.quality.inter_eye_px if self.portrait else 0.0

    @property
    def named(self) -> frozenset[str]:
        """The identities that the verdict stands on."""
        standing = self.verdict.standing
        if standing is None:
            return frozenset()
        found = [*standing.ambiguous_between, *([standing.identity] if standing.identity else [])]
        return frozenset(candidate.identity_id for candidate in found)


def event_of(
    person: Person, change: Change, camera_id: str, gallery_id: str, now_us: int
) -> TrackEvent:
    """Returns a change of the verdict as an event."""
    return TrackEvent(
        camera_id=camera_id,
        gallery_id=gallery_id,
        track_id=person.track_id,
        visit_id=person.visit_id,
        state=change.state,
        reason=change.reason,
        decision=change.decision,
        first_sequence=person.first.sequence,
        last_sequence=person.last.sequence,
        first_seen_us=person.first.arrived_us,
        last_seen_us=person.last.arrived_us,
        server_time_us=now_us,
        previous_identity_id=change.previous_identity_id,
        presentation_attack=person.attacks.value,
    )


def unknown_visit(person: Person, camera_id: str, gallery_id: str) -> UnknownVisit | None:
    """Returns what is kept of a person who is confirmed as unknown, and was never named; None of anyone else."""
    verdict = person.verdict
    looks_mean = verdict.looks_mean
    if person.was_named or looks_mean is None or verdict.shown.outcome is not Outcome.UNKNOWN:
        return None
    return UnknownVisit(
        gallery_id,
        camera_id,
        person.track_id,
        person.visit_id,
        person.first.arrived_us,
        person.last.arrived_us,
        looks_mean,
        person.portrait,
    )
