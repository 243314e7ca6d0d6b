"""The intervals hold what their names promise."""

import math

import numpy as np
import pytest

from bench.intervals import (
    ScoredPairs,
    bootstrap_fmr,
    bootstrap_tar,
    median_of,
    tar_at_fmr,
    theil_sen,
    threshold_at_fmr,
)
from facewire_server.evaluation.intervals import Interval, wilson


@pytest.mark.parametrize("fmr", [0.0, 0.009, 0.01, 0.05, 0.5])
def test_threshold_lets_through_at_most_the_share_asked_for(fmr):
    scores = np.random.default_rng(1).normal(size=337)
    threshold = threshold_at_fmr(scores, fmr)
    assert (scores > threshold).mean() <= fmr
    one_lower = np.sort(scores[scores < threshold])[-1]
    assert (scores > one_lower).mean() > fmr


def test_a_picture_without_a_face_is_a_miss():
    pairs = _pairs(mated=[0.8, 0.9, -1.0, -1.0], non_mated=[-1.0, -1.0, 0.1])
    assert tar_at_fmr(pairs, 0.01) == 0.5


def test_bootstrap_holds_the_figure_and_widens_with_fewer_people():
    few, many = (_people(count) for count in (12, 120))
    for pairs in (few, many):
        low, high = bootstrap_tar(pairs, 0.01)
        assert low <= tar_at_fmr(pairs, 0.01) <= high
    widths = [np.ptp(bootstrap_tar(pairs, 0.01)) for pairs in (few, many)]
    assert widths[0] > widths[1]


def test_bootstrap_draws_people_not_pairs():
    # One of ten people is never recognized; that they have most of the pairs is no evidence more.
    persons = np.array([0] * 50 + list(range(1, 10)))
    mated = np.where(persons == 0, 0.0, 0.9)
    pairs = ScoredPairs(
        np.concatenate([mated, np.full(9, 0.1)]),
        np.array([True] * len(mated) + [False] * 9),
        np.concatenate([persons, np.arange(9)]),
        np.concatenate([persons, np.arange(1, 10)]),
    )
    low, high = bootstrap_tar(pairs, 0.01)
    assert low < 0.1
    assert high == 1.0


def test_theil_sen_finds_a_slope_under_noise_and_outliers():
    generator = np.random.default_rng(2)
    x = np.arange(40.0)
    y = 3 + 0.25 * x + generator.normal(scale=0.5, size=40)
    y[5] = 1000
    slope, (low, high) = theil_sen(x, y)
    assert low < 0.25 < high
    assert slope == pytest.approx(0.25, abs=0.03)


def test_theil_sen_of_a_flat_line_holds_zero():
    y = np.random.default_rng(3).normal(size=30)
    _, (low, high) = theil_sen(np.arange(30.0), y)
    assert low < 0 < high


def _pairs(mated, non_mated):
    scores = np.array([*mated, *non_mated], float)
    count = len(scores)
    truth = np.arange(count) < len(mated)
    return ScoredPairs(scores, truth, np.arange(count), np.arange(count) + np.where(truth, 0, 1))


def _people(count):
    generator = np.random.default_rng(count)
    persons = np.repeat(np.arange(count), 5)
    others = (persons + generator.integers(1, count, len(persons))) % count
    return ScoredPairs(
        np.concatenate(
            [generator.normal(0.6, 0.15, len(persons)), generator.normal(0.1, 0.1, len(persons))]
        ),
        np.arange(2 * len(persons)) < len(persons),
        np.concatenate([persons, persons]),
        np.concatenate([persons, others]),
    )


def test_a_median_lies_in_its_interval_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.exponential(size=(2000, 20))  # skewed; its median is ln 2
    held = sum(
        low <= math.log(2) <= high for _, (low, high) in (median_of(list(row)) for row in drawn)
    )
    assert 0.94 < held / len(drawn) < 0.98  # what order statistics of 20 can give: 95.9 %


def test_the_interval_of_a_median_is_of_values() -> None:
    assert median_of([6, 1, 5, 2, 4, 3]) == (3.5, Interval(1, 6))
    with pytest.raises(ValueError, match="too few"):
        median_of([1, 2, 3, 4, 5])


def test_bootstrap_of_a_false_match_rate_holds_the_true_rate_of_people_who_look_alike():
    # 60 people, a picture each; of the people of one family of 12, all pairs match.
    first, second = np.triu_indices(60, k=1)
    alike = (first < 12) & (second < 12)
    pairs = ScoredPairs(np.where(alike, 0.9, 0.1), np.zeros(len(first), bool), first, second)
    interval = bootstrap_fmr(pairs, 0.5)
    rate = alike.mean()
    assert interval.low < rate < interval.high
    # Pairs are not independent: the interval is wider than that of as many independent pairs.
    alone = wilson(int(alike.sum()), len(alike))
    assert interval.high - interval.low > 2 * (alone.high - alone.low)
    assert bootstrap_fmr(pairs, 0.95) == (0.0, 0.0)
