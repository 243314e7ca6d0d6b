"""Track events, and a journal's world in memory: people, and a clock that a test sets."""

from dataclasses import replace

from facewire_server.types import (
    Candidate,
    Decision,
    Outcome,
    TrackEvent,
    TrackReason,
    TrackState,
)

__all__ = ["NOW_US", "Clock", "ambiguous", "candidate", "known", "track_event", "unknown"]

NOW_US = 1_800_000_000_000_000
"""Some time, in microseconds since 1970."""

TEMPLATE_ID = "ab" * 16


class Clock:
    """A clock that a test sets.

    Attributes:
        now_us: what it shows.
    """

    def __init__(self) -> None:
        self.now_us = NOW_US

    def __call__(self) -> int:
        return self.now_us

    def advance(self, seconds: float) -> None:
        """Sets it forward."""
        self.now_us += round(seconds * 1e6)


def candidate(identity_id: str, similarity: float = 0.75) -> Candidate:
    """A person as a search finds them; the display name is the id with "Name of" before it."""
    return Candidate(identity_id, f"Name of {identity_id}", similarity, TEMPLATE_ID)


def known(identity_id: str) -> Decision:
    """A decision for a person, with others listed as candidates."""
    return Decision(
        Outcome.KNOWN,
        best=candidate(identity_id),
        margin=0.25,
        threshold=0.5,
        gallery_revision=7,
        candidates=(candidate(identity_id), candidate("a bystander", 0.5)),
        look_count=3,
    )


def ambiguous(first: str, second: str) -> Decision:
    """A decision that lies between two people."""
    both = candidate(first, 0.625), candidate(second, 0.5)
    return Decision(Outcome.AMBIGUOUS, both[0], 0.125, 0.5, 7, ambiguous_between=both)


def unknown() -> Decision:
    """A decision for no person, though someone is the most similar."""
    return Decision(Outcome.UNKNOWN, candidate("the nearest", 0.25), 0.0, 0.5, 7)


def track_event(track_id: int, decision: Decision | None = None, **changes: object) -> TrackEvent:
    """A confirmation in gallery "default" by camera "door", but for the changes."""
    event = TrackEvent(
        camera_id="door",
        gallery_id="default",
        track_id=track_id,
        visit_id=track_id,
        state=TrackState.CONFIRMED,
        reason=TrackReason.EVIDENCE,
        decision=decision or unknown(),
        first_sequence=3,
        last_sequence=9,
        first_seen_us=NOW_US - 2_000_000,
        last_seen_us=NOW_US - 1_000_000,
        server_time_us=NOW_US,
    )
    return replace(event, **changes)  # type: ignore[arg-type]  # whatever the test changes
