"""The gate between groups: noise passes, a real ratio fails, and too few people are called too few."""

import math
from functools import cache

import numpy as np
import pytest

from facewire_server.evaluation.fairness import Verdict, judge, ratio_interval
from facewire_server.evaluation.intervals import OfPeople, Rate, drawn_people, rate

LOOKS = 20


@cache
def draws(people: int) -> np.ndarray:
    return drawn_people(people, 1500)


def group(generator: np.random.Generator, people: int, share: float) -> Rate:
    """Looks at people of a group of whom some are missed more often than others."""
    chances = generator.beta(2 * share, 2 * (1 - share), people) if share else np.zeros(people)
    hits = generator.binomial(LOOKS, chances)
    return rate(OfPeople(hits), OfPeople(np.full(people, LOOKS)), draws(people))


def judged(generator: np.random.Generator, people: int, *shares: float) -> Verdict:
    rates = {
        f"group {number}": group(generator, people, share) for number, share in enumerate(shares)
    }
    (judgment,) = judge({"FNIR": rates}, 2.0)
    return judgment.verdict


def test_noise_does_not_fail_it() -> None:
    generator = np.random.default_rng(1)
    verdicts = [judged(generator, 40, 0.03, 0.03, 0.03, 0.03) for _ in range(60)]
    ratios = [verdict is Verdict.EXCEEDED for verdict in verdicts]
    assert sum(ratios) <= 3  # 5 % of 60


def test_ratios_at_the_limit_rarely_fail_it() -> None:
    generator = np.random.default_rng(2)
    verdicts = [judged(generator, 60, 0.1, 0.2) for _ in range(60)]
    assert verdicts.count(Verdict.EXCEEDED) <= 3


def test_a_real_ratio_fails_it() -> None:
    generator = np.random.default_rng(3)
    verdicts = [judged(generator, 300, 0.02, 0.02, 0.16) for _ in range(20)]
    assert verdicts.count(Verdict.EXCEEDED) >= 19


def test_groups_that_are_alike_are_shown_to_be_with_enough_people() -> None:
    assert judged(np.random.default_rng(4), 2000, 0.1, 0.1) is Verdict.HELD


def test_a_dozen_people_decide_nothing() -> None:
    assert judged(np.random.default_rng(5), 12, 0.02, 0.1) is Verdict.UNDECIDED


def test_a_group_without_errors_is_no_infinite_ratio() -> None:
    generator = np.random.default_rng(6)
    none, some = group(generator, 30, 0.0), group(generator, 30, 0.01)
    (judgment,) = judge({"FPIR": {"none": none, "some": some}}, 2.0)
    assert judgment.ratio == math.inf
    assert (judgment.worse, judgment.verdict) == ("some", Verdict.UNDECIDED)
    many = group(generator, 300, 0.5)
    assert judge({"FPIR": {"none": none, "many": many}}, 2.0)[0].verdict is Verdict.EXCEEDED


def test_one_group_or_groups_without_looks_are_undecided() -> None:
    some = group(np.random.default_rng(7), 30, 0.1)
    nothing = rate(OfPeople(np.zeros(3, np.int64)), OfPeople(np.zeros(3, np.int64)), draws(3))
    (judgment,) = judge({"FMR": {"a": some, "b": nothing}}, 2.0)
    assert judgment.verdict is Verdict.UNDECIDED
    assert judgment.worse == ""


def test_of_several_groups_the_one_that_fails_is_named() -> None:
    generator = np.random.default_rng(8)
    rates = {
        "small": group(generator, 6, 0.05),
        "good": group(generator, 300, 0.02),
        "bad": group(generator, 300, 0.3),
    }
    (judgment,) = judge({"FNIR": rates}, 2.0)
    assert (judgment.worse, judgment.better) == ("bad", "good")
    assert judgment.verdict is Verdict.EXCEEDED


def test_the_interval_of_a_ratio_agrees_with_a_known_one() -> None:
    # Two independent shares of 100 in 1,000 and 50 in 1,000: by the logarithm (D. Katz et al., Biometrics 34, 1978)
    # the interval of their ratio is 1.44 to 2.78.
    found = ratio_interval(Rate(100, 1000, np.empty(0)), Rate(50, 1000, np.empty(0)))
    assert found.low == pytest.approx(1.44, abs=0.03)
    assert found.high == pytest.approx(2.78, abs=0.06)
