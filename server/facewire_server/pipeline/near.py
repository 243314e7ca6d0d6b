"""Whether a decision about an embedding that is not exact might be another one about the exact embedding."""

from collections.abc import Sequence

from facewire_server.types import Candidate, Decision, DecisionPolicy

__all__ = ["is_near"]


def is_near(
    decision: Decision,
    candidates: Sequence[Candidate],
    policy: DecisionPolicy,
    similarity_error: float,
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
    """
    if similarity_error <= 0 or not candidates:
        return False  # exact, too poor, or the gallery is empty
    least, most = decision.threshold - similarity_error, decision.threshold + similarity_error
    reaching = [candidate for candidate in candidates if candidate.similarity >= least]
    if any(_is_near_negative_example(candidate, similarity_error) for candidate in reaching):
        return True
    left = [one.similarity for one in candidates if not one.is_nearer_to_negative_example]
    if not left or left[0] < least:
        return False  # UNKNOWN in any case
    best, *others = left[:2]
    if best <= most:
        return True
    if not others or others[0] < least:
        return False  # KNOWN in any case
    return best - others[0] <= policy.min_margin + 2 * similarity_error


def _is_near_negative_example(candidate: Candidate, similarity_error: float) -> bool:
    negative = candidate.negative_example_similarity
    return negative is not None and (abs(candidate.similarity - negative) <= 2 * similarity_error)
