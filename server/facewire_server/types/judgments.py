"""Why a decision is what it is: its numbers in the terms of the rule that made it."""

from dataclasses import dataclass
from enum import Enum

from facewire_server.thresholds import FalseMatchRate, GalleryRule
from facewire_server.types.decisions import Decision, Grounds, Outcome

__all__ = ["DecidingRule", "Judgment", "judgment_of"]


class DecidingRule(Enum):
    """What made an outcome what it is (`facewire.v1.DecidingRule`)."""

    FACE_TOO_POOR = "face too poor"
    NO_PERSON_TO_COMPARE = "no person to compare"
    BELOW_THRESHOLD = "below the threshold"
    ALONE_ABOVE_THRESHOLD = "alone above the threshold"
    CLEAR_OF_RUNNER_UP = "clear of the runner-up"
    WITHIN_MARGIN = "within the margin"
    TOO_FEW_LOOKS = "too few looks"
    NEARER_TO_NEGATIVE_EXAMPLE = "nearer to a negative example"


@dataclass(frozen=True, slots=True)
class Judgment:
    """A decision in the terms of the rule that made it (`facewire.v1.Judgment`).

    Attributes:
        deciding_rule: what made the outcome what it is.
        grounds: of the search.
        false_match_rate: of the decision's similarity; None without a calibration, or if the face was not compared.
        fpir: estimated share of looks at people who are not enrolled that get a name with the threshold in force; None
            without a calibration.
    """

    deciding_rule: DecidingRule
    grounds: Grounds
    false_match_rate: FalseMatchRate | None
    fpir: float | None


def judgment_of(decision: Decision) -> Judgment | None:
    """Returns why a decision is what it is; None if it was made without grounds."""
    grounds = decision.grounds
    if grounds is None:
        return None
    rule, best = grounds.rule, decision.best
    return Judgment(
        _deciding_rule(decision, grounds),
        grounds,
        rule.likeness.fmr_at(best.similarity) if rule and best else None,
        _fpir(rule, decision.threshold) if rule else None,
    )


def _deciding_rule(decision: Decision, grounds: Grounds) -> DecidingRule:
    if decision.outcome is Outcome.TOO_POOR:
        return DecidingRule.FACE_TOO_POOR
    if decision.best is None:
        return DecidingRule.NO_PERSON_TO_COMPARE
    if decision.outcome is Outcome.PENDING:
        return DecidingRule.TOO_FEW_LOOKS
    if decision.outcome is Outcome.UNKNOWN and decision.passed_over:
        return DecidingRule.NEARER_TO_NEGATIVE_EXAMPLE
    if decision.outcome is Outcome.UNKNOWN:
        return DecidingRule.BELOW_THRESHOLD
    if decision.outcome is Outcome.AMBIGUOUS:
        return DecidingRule.WITHIN_MARGIN
    # If all others are passed over there is none, and no lead.
    has_runner_up = grounds.identity_count > 1 and (
        decision.passed_over is None or decision.margin > 0
    )
    runner_up = decision.best.similarity - decision.margin
    if has_runner_up and runner_up >= decision.threshold:
        return DecidingRule.CLEAR_OF_RUNNER_UP
    return DecidingRule.ALONE_ABOVE_THRESHOLD


def _fpir(rule: GalleryRule, threshold: float) -> float:
    """The rate of one comparison, for each of the gallery's people: the threshold follows from `max_fpir` in the same way."""
    return min(1.0, rule.likeness.fmr_at(threshold).value * rule.comparison_count)
