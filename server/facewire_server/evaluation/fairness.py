"""The gate between groups: how many times as often the worst group meets an error as the best, and whether that is certain."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import Final

from facewire_server.evaluation.intervals import CONFIDENCE, Interval, Rate

__all__ = ["Judgment", "Verdict", "judge", "ratio_interval"]

_ZERO: Final = 1e-12
"""Below it a divisor is taken for zero."""


class Verdict(Enum):
    """What the data say about the ratio of two groups' rates."""

    HELD = "held"
    EXCEEDED = "exceeded"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Judgment:
    """The groups of one error rate that lie farthest apart for certain.

    Attributes:
        measure: what was compared.
        worse, better: the two groups; "" if there are not two with looks.
        ratio: of their rates; infinite if `better` has no error, NaN if neither has.
        interval: of the ratio, so that all intervals of one evaluation hold together with 95 %.
        verdict: EXCEEDED if the whole interval lies above what is allowed, HELD if those of all pairs lie below, else UNDECIDED.
    """

    measure: str
    worse: str
    better: str
    ratio: float
    interval: Interval
    verdict: Verdict


def judge(rates: Mapping[str, Mapping[str, Rate]], max_ratio: float) -> list[Judgment]:
    """Compares each group with each other, by each measure.

    The two that lie farthest apart are chosen by looking, so an interval of 95 % would be too narrow: each
    comparison has its part of the 5 % (C. E. Bonferroni's inequality).

    Args:
        rates: of each measure the rate of each group.
        max_ratio: allowed between the worst and the best.
    """
    measured = {
        measure: {group: rate for group, rate in by_group.items() if rate.looks}
        for measure, by_group in rates.items()
    }
    comparisons = sum(len(each) * (len(each) - 1) // 2 for each in measured.values())
    confidence = 1 - (1 - CONFIDENCE) / max(1, comparisons)
    return [_judged(measure, each, max_ratio, confidence) for measure, each in measured.items()]


def _judged(
    measure: str, rates: Mapping[str, Rate], max_ratio: float, confidence: float
) -> Judgment:
    found: list[Judgment] = []
    for pair in combinations(rates, 2):
        better, worse = sorted(pair, key=lambda group: rates[group].share)
        interval = ratio_interval(rates[worse], rates[better], confidence)
        low, high = rates[better].share, rates[worse].share
        ratio = high / low if low else (math.inf if high else math.nan)
        found.append(
            Judgment(measure, worse, better, ratio, interval, _verdict(interval, max_ratio))
        )
    return (
        _summed(found)
        if found
        else Judgment(measure, "", "", math.nan, Interval(0.0, math.inf), Verdict.UNDECIDED)
    )


def _verdict(interval: Interval, max_ratio: float) -> Verdict:
    if interval.low > max_ratio:
        return Verdict.EXCEEDED
    return Verdict.HELD if interval.high <= max_ratio else Verdict.UNDECIDED


def _summed(found: Sequence[Judgment]) -> Judgment:
    """Returns the pair that says most: one that exceeds, else one that is undecided, else the widest apart."""
    weight = {Verdict.EXCEEDED: 2, Verdict.UNDECIDED: 1, Verdict.HELD: 0}
    return max(
        found,
        key=lambda one: (
            weight[one.verdict],
            one.interval.low,
            -math.inf if math.isnan(one.ratio) else one.ratio,
        ),
    )


def ratio_interval(numerator: Rate, denominator: Rate, confidence: float = CONFIDENCE) -> Interval:
    """The interval of the ratio of two rates of different people, from the intervals of both.

    MOVER-R (A. Donner, G. Y. Zou, "Closed-form confidence intervals for functions of the normal mean and standard
    deviation", Stat. Methods Med. Res. 21(4), 2012): it needs no logarithm, so it also holds for a rate of 0.
    """
    one, other = numerator.share, denominator.share
    (low1, high1), (low2, high2) = numerator.interval(confidence), denominator.interval(confidence)
    return Interval(
        _bound(one, other, low1, high2, -1.0),
        _bound(one, other, high1, low2, 1.0) if low2 > _ZERO else math.inf,
    )


def _bound(one: float, other: float, bound1: float, bound2: float, sign: float) -> float:
    """Returns the lower (-1) or upper (1) bound of one / other, from the bounds of both that lie this way."""
    product = one * other
    divisor = bound2 * (2 * other - bound2)
    inner = product**2 - bound1 * (2 * one - bound1) * divisor
    if abs(divisor) < _ZERO**1.5:  # the limit of the quotient below
        return bound1 * (2 * one - bound1) / (2 * product) if product else 0.0
    return max(0.0, (product + sign * math.sqrt(max(0.0, inner))) / divisor)
