"""Converts why a decision is what it is to protobuf."""

from typing import Final

from facewire.v1 import face_pb2
from facewire_server.thresholds import GalleryRule
from facewire_server.types import Decision
from facewire_server.types.judgments import DecidingRule, judgment_of

__all__ = ["judgment_message"]

_MOST_TEMPLATES: Final = 20
"""The contract's limit of `Judgment.template_ids`."""

_DECIDING_RULES: Final = {
    DecidingRule.FACE_TOO_POOR: face_pb2.DECIDING_RULE_FACE_TOO_POOR,
    DecidingRule.NO_PERSON_TO_COMPARE: face_pb2.DECIDING_RULE_NO_PERSON_TO_COMPARE,
    DecidingRule.BELOW_THRESHOLD: face_pb2.DECIDING_RULE_BELOW_THRESHOLD,
    DecidingRule.ALONE_ABOVE_THRESHOLD: face_pb2.DECIDING_RULE_ALONE_ABOVE_THRESHOLD,
    DecidingRule.CLEAR_OF_RUNNER_UP: face_pb2.DECIDING_RULE_CLEAR_OF_RUNNER_UP,
    DecidingRule.WITHIN_MARGIN: face_pb2.DECIDING_RULE_WITHIN_MARGIN,
    DecidingRule.TOO_FEW_LOOKS: face_pb2.DECIDING_RULE_TOO_FEW_LOOKS,
    DecidingRule.NEARER_TO_NEGATIVE_EXAMPLE: face_pb2.DECIDING_RULE_NEARER_TO_NEGATIVE_EXAMPLE,
}


def judgment_message(decision: Decision) -> face_pb2.Judgment | None:
    """Returns why a decision is what it is; None if it was not asked for."""
    judgment = judgment_of(decision)
    if judgment is None:
        return None
    rate, grounds = judgment.false_match_rate, judgment.grounds
    passed_over = decision.passed_over
    return face_pb2.Judgment(
        deciding_rule=_DECIDING_RULES[judgment.deciding_rule],
        false_match_rate=rate.value if rate else 0.0,
        false_match_rate_bound=rate.bound if rate else 0.0,
        is_extrapolated=rate.is_extrapolated if rate else False,
        false_name_rate=judgment.fpir or 0.0,
        threshold_rule=_rule_message(grounds.rule) if grounds.rule else None,
        min_margin=grounds.min_margin,
        min_inter_eye_px=grounds.min_inter_eye_px,
        template_ids=decision.template_ids[:_MOST_TEMPLATES],
        template_count=len(decision.template_ids),
        passed_over_similarity=passed_over.similarity if passed_over else 0.0,
        negative_example_similarity=(
            (passed_over.negative_example_similarity or 0.0) if passed_over else 0.0
        ),
    )


def _rule_message(rule: GalleryRule) -> face_pb2.ThresholdRule:
    likeness = rule.likeness
    return face_pb2.ThresholdRule(
        threshold=rule.threshold,
        max_fpir=rule.max_fpir,
        identity_count=rule.comparison_count,
        mean=likeness.mean,
        spread=likeness.spread,
        shrinkage=likeness.shrinkage,
        pair_mean=likeness.pairs.mean,
        pair_spread=likeness.pairs.spread,
        paired_identity_count=likeness.pairs.identity_count,
        is_extrapolated=rule.is_extrapolated,
        cohesion=likeness.pairs.cohesion,
    )
