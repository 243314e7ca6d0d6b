"""Why a decision is what it is, as JSON."""

from typing import Any

from facewire import Judgment, ThresholdRule

__all__ = ["judgment_json"]

JSON = dict[str, Any]


def judgment_json(judgment: Judgment) -> JSON:
    """Returns what made an outcome what it is, with the numbers of the rule."""
    rule = judgment.threshold_rule
    return {
        "deciding_rule": judgment.deciding_rule.value.lower(),
        "false_match_rate": judgment.false_match_rate,
        "false_match_rate_bound": judgment.false_match_rate_bound,
        "is_extrapolated": judgment.is_extrapolated,
        "false_name_rate": judgment.false_name_rate,
        "threshold_rule": None if rule is None else _rule_json(rule),
        "min_margin": judgment.min_margin,
        "min_inter_eye_px": judgment.min_inter_eye_px,
        "template_ids": list(judgment.template_ids),
        "template_count": judgment.template_count,
        "passed_over_similarity": judgment.passed_over_similarity,
        "negative_example_similarity": judgment.negative_example_similarity,
    }


def _rule_json(rule: ThresholdRule) -> JSON:
    """Returns the threshold that follows from the wanted error rate, and what it follows from."""
    return {
        "threshold": rule.threshold,
        "max_fpir": rule.max_fpir,
        "identity_count": rule.identity_count,
        "mean": rule.mean,
        "spread": rule.spread,
        "shrinkage": rule.shrinkage,
        "pair_mean": rule.pair_mean,
        "pair_spread": rule.pair_spread,
        "paired_identity_count": rule.paired_identity_count,
        "is_extrapolated": rule.is_extrapolated,
        "cohesion": rule.cohesion,
    }
