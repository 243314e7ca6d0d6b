"""What is confirmed about a person, and since when looks speak against it."""

from facewire_server.streams.verdicts.looks import CLOCK_STEP_S, MIN_GAP_S
from facewire_server.streams.verdicts.rule import Stance
from facewire_server.streams.verdicts.shown import conclusion
from facewire_server.types import Decision, Outcome

__all__ = ["Standing"]


class Standing:
    """The decision that is confirmed, if there is one.

    Attributes:
        decision: KNOWN, UNKNOWN or AMBIGUOUS; None = the verdict is open.
    """

    def __init__(self, decision: Decision | None = None) -> None:
        """Starts with a decision that was confirmed before, or none."""
        self.decision = decision
        self._weak_at_s: float | None = None

    @property
    def is_weak(self) -> bool:
        """Whether the last look spoke against the decision."""
        return self._weak_at_s is not None

    @property
    def has_name(self) -> bool:
        """Whether the decision names a person."""
        return self.decision is not None and self.decision.identity is not None

    @property
    def is_unknown(self) -> bool:
        """Whether the person is confirmed as unknown."""
        return self.decision is not None and self.decision.outcome is Outcome.UNKNOWN

    def is_revoked_by(self, said: Stance, at_s: float) -> bool:
        """Counts what a look says about the decision; returns whether that revokes it.

        Args:
            said: about the decision.
            at_s: time of the look.
        """
        if said is Stance.FOR:
            self._weak_at_s = None
            return False
        if self._weak_at_s is None:
            self._weak_at_s = at_s
        is_second = at_s - self._weak_at_s >= MIN_GAP_S - CLOCK_STEP_S
        return said is Stance.REVOKES or is_second

    def agrees_with(self, decision: Decision) -> bool:
        """Whether an operator is informed of the same by both."""
        return self.decision is not None and conclusion(self.decision) == conclusion(decision)

    def withdraw(self) -> str:
        """Takes the decision back; returns the id of the identity that it named, "" = none."""
        revoked = self.decision.identity if self.decision else None
        self.decision = self._weak_at_s = None
        return revoked.identity_id if revoked else ""
