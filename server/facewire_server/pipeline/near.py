"""Whether a decision about an embedding that is not exact might be another one about the exact embedding."""

import math
from collections.abc import Collection, Sequence

from facewire_server.types import Candidate, Decision, DecisionPolicy

__all__ = ["is_near"]


def is_near(
    decision: Decision,
    candidates: Sequence[Candidate],
    policy: DecisionPolicy,
    similarity_error: float,
    *,
    above: float = 0.0,
) -> bool:
    """Returns whether the face must be embedded in float32, since the outcome or the identity might change.

    Two similarities of one probe may change in opposite directions, so a lead may change by twice the error. An
    AMBIGUOUS decision is always near: a third identity may be as similar, and the two that it lies between are
    disclosed.

    Args:
        decision: of `match.decisions`.
        candidates: the search result's of the same probe, best first, `match.candidates_needed` of them.
        policy: that the decision follows.
        similarity_error: by which a similarity of the probe may differ from the exact one; 0 = it is exact. That of the mean
            of several embeddings is at most the largest one of theirs, divided by the length of their mean.
        above: a lead (`Candidate.lead`) whose reaching counts, besides the 0 of a name: one of `Verdict.turning_points`, of which 0 is
            asked about, too.
    """
    if similarity_error <= 0 or not candidates:
        return False  # exact, too poor, or the gallery is empty
    wanted = decision.threshold + above
    least, most = wanted - similarity_error, wanted + similarity_error
    reaching = [candidate for candidate in candidates if candidate.similarity >= least]
    leads = {0.0, above}
    if any(_is_near_negative(one, decision.threshold, leads, similarity_error) for one in reaching):
        return True
    left = [one.similarity for one in candidates if _beyond_negative(one) >= max(above, 0)]
    if not left or left[0] < least:
        return False  # UNKNOWN in any case
    best, *others = left[:2]
    if best <= most:
        return True
    if not others or others[0] < least:
        return False  # KNOWN in any case
    return best - others[0] <= policy.min_margin + 2 * similarity_error


def _is_near_negative(
    candidate: Candidate, threshold: float, leads: Collection[float], similarity_error: float
) -> bool:
    """Whether a negative example gives or takes one of these leads within the error, or makes the difference between passed over and below."""
    beyond = _beyond_negative(candidate)
    if any(abs(beyond - lead) <= 2 * similarity_error for lead in leads):
        return True
    return beyond < 0 and any(
        abs(candidate.similarity - threshold - lead) <= similarity_error for lead in leads
    )


def _beyond_negative(candidate: Candidate) -> float:
    """Returns the similarity above that to the identity's negative examples; infinity if it has none."""
    negative = candidate.negative_example_similarity
    return math.inf if negative is None else candidate.similarity - negative
