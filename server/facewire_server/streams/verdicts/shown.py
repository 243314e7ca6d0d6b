"""What may be shown of a decision: all of it, what an open verdict says, or nothing about a person."""

from dataclasses import replace
from typing import Final

from facewire_server.types import Decision, Outcome

__all__ = ["LastDecision", "between", "conclusion"]


_UNDECIDED: Final = Decision(Outcome.PENDING, None, 0.0, 0.0, 0)
"""What is shown before the first decision: no similarity, no threshold, no revision."""


class LastDecision:
    """The last decision about a person, confirmed or not.

    Attributes:
        decision: None = there was none, or it counts no longer.
        blank: an open one of the same gallery that says nothing about a person.
    """

    def __init__(self, standing: Decision | None = None) -> None:
        """Starts without a decision; with the threshold of one that was confirmed before, if there is one."""
        self.decision: Decision | None = None
        self.blank = _blank(standing) if standing else _UNDECIDED

    @property
    def open(self) -> Decision:
        """What an open verdict says."""
        return _pending(self.decision or self.blank)

    def take(self, decision: Decision, *, is_kept: bool = True) -> None:
        """Takes a decision.

        Args:
            decision: about the person.
            is_kept: False = only what a blank one says counts.
        """
        self.blank = _blank(decision)
        if is_kept:
            self.decision = decision


def between(decision: Decision) -> frozenset[str]:
    """Returns the identities that an outcome lies between; empty unless it is AMBIGUOUS."""
    return frozenset(candidate.identity_id for candidate in decision.ambiguous_between)


def _blank(decision: Decision) -> Decision:
    """Returns an open decision that says nothing about a person."""
    return Decision(
        Outcome.PENDING,
        None,
        0.0,
        decision.threshold,
        decision.gallery_revision,
        threshold_source=decision.threshold_source,
    )


def _pending(decision: Decision) -> Decision:
    """Returns an open decision with the evidence so far; a face that is TOO_POOR is shown as such."""
    if decision.outcome is Outcome.TOO_POOR:
        return decision
    return replace(decision, outcome=Outcome.PENDING, ambiguous_between=())


def conclusion(decision: Decision) -> tuple[Outcome, frozenset[str]]:
    """Returns what an operator is informed of: the outcome, and whom it names."""
    identity = decision.identity
    names = frozenset([identity.identity_id]) if identity else between(decision)
    return decision.outcome, names
