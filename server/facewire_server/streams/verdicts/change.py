"""A change of a verdict: what a track event says about it."""

from dataclasses import dataclass

from facewire_server.types import Decision, TrackReason, TrackState

__all__ = ["Change"]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a verdict.

    Attributes:
        state: of the verdict from now on.
        reason: why it changed.
        decision: the present one; of an ended verdict the last.
        previous_identity_id: the name that is revoked; "" unless the state is RETRACTED, and then if there was none.
    """

    state: TrackState
    reason: TrackReason
    decision: Decision
    previous_identity_id: str = ""
