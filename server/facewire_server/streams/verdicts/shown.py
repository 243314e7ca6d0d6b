"""What may be shown of a decision: all of it, what an open verdict says, or nothing about a person."""

from dataclasses import replace

from facewire_server.types import Decision, Outcome

__all__ = ["between", "blank", "conclusion", "pending"]


def between(decision: Decision) -> frozenset[str]:
    """Returns the identities that an outcome lies between; empty unless it is AMBIGUOUS."""
    return frozenset(candidate.identity_id for candidate in decision.ambiguous_between)


def blank(decision: Decision) -> Decision:
    """Returns an open decision that says nothing about a person."""
    return Decision(
        Outcome.PENDING,
        None,
        0.0,
        decision.threshold,
        decision.gallery_revision,
        threshold_source=decision.threshold_source,
    )


def pending(decision: Decision) -> Decision:
    """Returns an open decision with the evidence so far; a face that is TOO_POOR is shown as such."""
    if decision.outcome is Outcome.TOO_POOR:
        return decision
    return replace(decision, outcome=Outcome.PENDING, ambiguous_between=())


def conclusion(decision: Decision) -> tuple[Outcome, frozenset[str]]:
    """Returns what an operator is informed of: the outcome, and whom it names."""
    identity = decision.identity
    names = frozenset([identity.identity_id]) if identity else between(decision)
    return decision.outcome, names
