"""Reads why a decision is what it is."""

from facewire._values.enums import DecidingRule
from facewire._values.judgments import Judgment, ThresholdRule
from facewire.v1 import face_pb2

__all__ = ["read_judgment"]


def read_judgment(judgment: face_pb2.Judgment) -> Judgment:
    is_set = judgment.HasField("threshold_rule")
    return Judgment(
        deciding_rule=DecidingRule.from_wire(judgment.deciding_rule),
        false_match_rate=judgment.false_match_rate or None,
        false_match_rate_bound=judgment.false_match_rate_bound or None,
        is_extrapolated=judgment.is_extrapolated,
        false_name_rate=judgment.false_name_rate or None,
        threshold_rule=_read_rule(judgment.threshold_rule) if is_set else None,
        min_margin=judgment.min_margin,
        min_inter_eye_px=judgment.min_inter_eye_px,
        template_ids=tuple(judgment.template_ids),
        template_count=judgment.template_count,
        passed_over_similarity=judgment.passed_over_similarity or None,
        negative_example_similarity=judgment.negative_example_similarity or None,
    )


def _read_rule(rule: face_pb2.ThresholdRule) -> ThresholdRule:
    return ThresholdRule(
        threshold=rule.threshold,
        max_fpir=rule.max_fpir,
        identity_count=rule.identity_count,
        mean=rule.mean,
        spread=rule.spread,
        shrinkage=rule.shrinkage,
        pair_mean=rule.pair_mean,
        pair_spread=rule.pair_spread,
        paired_identity_count=rule.paired_identity_count,
        is_extrapolated=rule.is_extrapolated,
        cohesion=rule.cohesion,
    )
