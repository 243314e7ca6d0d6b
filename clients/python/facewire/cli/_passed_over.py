"""People who were passed over, since the face is nearer to a negative example of theirs, in words."""

from facewire import Candidate, DecidingRule, Decision, Outcome

__all__ = ["is_nearer_to_example", "is_passed_over", "passed_over_line", "rivals"]


def is_passed_over(candidate: Candidate, threshold: float) -> bool:
    """Whether a person reaches the threshold, and the face is nearer to a negative example of theirs."""
    nearest = candidate.negative_example_similarity
    return nearest is not None and nearest > candidate.similarity >= threshold


def is_nearer_to_example(decision: Decision) -> bool:
    """Whether a face is UNKNOWN only because all whom it resembles were passed over."""
    judgment = decision.judgment
    return (
        judgment is not None and judgment.deciding_rule is DecidingRule.NEARER_TO_NEGATIVE_EXAMPLE
    )


def rivals(decision: Decision) -> list[Candidate]:
    """Returns the people whom `Decision.similarity` and `margin` are about, best first."""
    if decision.outcome not in (Outcome.KNOWN, Outcome.AMBIGUOUS):
        return [*decision.candidates]
    return [each for each in decision.candidates if not is_passed_over(each, decision.threshold)]


def passed_over_line(decision: Decision) -> str:
    """Returns who was passed over, and why; "" if no one was."""
    judgment = decision.judgment
    if judgment is None or judgment.passed_over_similarity is None:
        return ""
    passed = [each for each in decision.candidates if is_passed_over(each, decision.threshold)]
    who = (passed[0].display_name or passed[0].identity_id) if passed else "a person"
    return (
        f"{who} has a similarity of {judgment.passed_over_similarity:.3f}, but the face is nearer to a negative example: "
        f"{judgment.negative_example_similarity or 0.0:.3f}"
    )
