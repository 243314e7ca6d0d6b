"""The rule of a verdict: what looks suffice for, and what overturns it. docs/verdicts.md derives it.

The threshold is the one of a single look, whatever the number of looks: most of what makes a stranger resemble a person of the gallery
does not change from look to look.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Final

from facewire_server.streams.verdicts.looks import MAX_LOOKS, Looks
from facewire_server.streams.verdicts.shown import between
from facewire_server.types import Candidate, Decision, Outcome

__all__ = ["Stance", "is_concluded", "of_looks", "own_similarities", "stance", "turning_points"]

_LOOKS_FOR_A_NAME: Final = 2
"""Looks whose mean must reach the threshold for a name: three name strangers .42 times as often as one look, two .57 times."""

_EARLY_RAISE: Final = 0.10
"""Similarity above the threshold at which one look suffices for a name: as many strangers are named as if none did. At the threshold itself
1.22 times as many as by one look."""

_LATE_RAISE: Final = 0.05
"""Similarity above the threshold for a name of a person who was confirmed as unknown: who is in view for minutes has many chances. Two
minutes named strangers 1.4 and 1.5 times as often as one look without it, of two halves of the people, and .6 and 1.0 times with it: see docs/verdicts.md."""

_LOOKS_FOR_NO_NAME: Final = 3
_SPAN_FOR_NO_NAME_S: Final = 1.0
"""Looks, and seconds that they span, before a person is unknown, or ambiguous. Chosen, not measured: long enough for a head to turn."""

_DOUBT: Final = 0.06
"""Similarity below the threshold down to which a name is kept once it was given, and above which a person is not unknown yet: similarities
of one person scatter by .054 within a clip."""


def own_similarities(candidates: Sequence[Candidate], looks: Looks) -> tuple[Candidate, ...]:
    """Returns the candidates of a search with the looks' mean direction, with the means of the looks' own similarities.

    The direction resembles everyone more than a look does, the more the looks differ: noise is gone from it. By its own similarity a stranger
    would be named four times as often.
    """
    return tuple(candidate.scaled(looks.cohesion) for candidate in candidates)


def of_looks(decision: Decision, looks: Looks) -> Decision:
    """Returns the decision about the looks: the means of their similarities must reach the threshold of one look.

    Args:
        decision: about their mean direction.
        looks: not empty.
    """

    def is_match(candidate: Candidate | None) -> bool:
        return candidate is not None and candidate.lead(decision.threshold) >= 0

    best = decision.best.scaled(looks.cohesion) if decision.best else None
    margin = decision.margin * looks.cohesion
    contenders = own_similarities(decision.contenders, looks)
    passed_over = decision.passed_over.scaled(looks.cohesion) if decision.passed_over else None
    if passed_over and passed_over.similarity < decision.threshold:
        passed_over = None
    lies_between = own_similarities(decision.ambiguous_between, looks)
    outcome = decision.outcome
    if not is_match(best):
        outcome = Outcome.UNKNOWN
    elif not all(map(is_match, lies_between)):
        outcome = Outcome.KNOWN
    if outcome is Outcome.UNKNOWN and len(contenders) > 1:
        # No one gets the face; then the best ones are those of all.
        first, second = contenders[:2]
        lead = first.similarity - second.similarity
        margin = min(margin, lead) if first == best and margin else lead
        best = first
    return replace(
        decision,
        outcome=outcome,
        best=best,
        margin=margin,
        candidates=own_similarities(decision.candidates, looks),
        ambiguous_between=lies_between if outcome is Outcome.AMBIGUOUS else (),
        look_count=len(looks),
        passed_over=passed_over,
        contenders=contenders,
    )


def is_concluded(decision: Decision, looks: Looks, *, was_unknown: bool = False) -> bool:
    """Whether the looks suffice for the outcome of their mean.

    Args:
        decision: about them.
        looks: that the decision is about.
        was_unknown: the person is confirmed as unknown, so that a name is a second opinion.
    """
    count = len(looks)
    if was_unknown and decision.outcome is not Outcome.UNKNOWN and _lead(decision) < _LATE_RAISE:
        return False
    if decision.outcome is Outcome.KNOWN:
        return count >= _LOOKS_FOR_A_NAME or _lead(decision) >= _EARLY_RAISE
    if count < _LOOKS_FOR_NO_NAME or looks.span_s < _SPAN_FOR_NO_NAME_S:
        return False
    if decision.outcome is Outcome.UNKNOWN:
        return _lead(decision) < -_DOUBT or count >= MAX_LOOKS
    return decision.outcome is Outcome.AMBIGUOUS


def turning_points(standing: Decision | None, looks: Looks) -> tuple[float, ...]:
    """Returns the leads (`Candidate.lead`) at which a decision about the looks says something else.

    Args:
        standing: the decision that is confirmed; None = the verdict is open.
        looks: that the decision is about.
    """
    if standing is None:
        count = len(looks)
        if count < _LOOKS_FOR_A_NAME:
            return 0.0, _EARLY_RAISE
        return (0.0, -_DOUBT) if _LOOKS_FOR_NO_NAME <= count < MAX_LOOKS else (0.0,)
    if standing.outcome is Outcome.UNKNOWN:
        return 0.0, _LATE_RAISE
    return 0.0, -_DOUBT


class Stance(Enum):
    """What a further decision says about the one that is confirmed."""

    FOR = "for"
    AGAINST = "against"
    REVOKES = "revokes"


def stance(
    standing: Decision, decision: Decision, before: Decision, *, is_unproven: bool = False
) -> Stance:
    """Returns what a further decision says about the one that is confirmed. AGAINST revokes it the second time.

    Args:
        standing: the one that is confirmed.
        decision: the further one.
        before: the last one before it; if its revision is another, the gallery has changed.
        is_unproven: the track may have become another person's, and no look since then resembles those before: a name must be
            reached again, not only kept.
    """
    has_moved = before.gallery_revision != decision.gallery_revision
    if standing.identity is None:
        is_gone = has_moved and not between(standing) <= between(decision)
        return Stance.REVOKES if is_gone else Stance.FOR
    identity_id = standing.identity.identity_id
    if decision.outcome is Outcome.AMBIGUOUS:
        is_new_double = has_moved and before.outcome is Outcome.KNOWN
        is_for = identity_id in between(decision) and not is_new_double
    else:
        own = next((one for one in _weighed(decision) if one.identity_id == identity_id), None)
        # Who says "this is not her" is not to wait for a look that differs more.
        is_denied = has_moved and own is not None and own.is_passed_over(decision.threshold)
        least = 0 if is_unproven or is_denied else -_DOUBT
        is_for = own is not None and own.lead(decision.threshold) >= least
    if is_for:
        return Stance.FOR
    is_other = decision.outcome is not Outcome.UNKNOWN
    return Stance.REVOKES if has_moved or is_other else Stance.AGAINST


def _weighed(decision: Decision) -> tuple[Candidate, ...]:
    """Returns those who may be the person: the best one; if no one gets the face, also the contenders.

    A person keeps a name that lies in doubt, though the face resembles another one more, and a negative example of that one still more.
    """
    best = (decision.best,) if decision.best else ()
    return (*best, *decision.contenders) if decision.outcome is Outcome.UNKNOWN else best


def _lead(decision: Decision) -> float:
    """Returns the similarity above what an identity must reach, of the one that comes nearest to it."""
    leads = [one.lead(decision.threshold) for one in _weighed(decision)]
    return max(leads, default=-1.0 - decision.threshold)
