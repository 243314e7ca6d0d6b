"""Rates and their intervals: known answers, and intervals that hold the truth as often as they say."""

import numpy as np
import pytest

from facewire_server.evaluation.intervals import (
    AllAgainstAll,
    OfPairs,
    OfPeople,
    Rate,
    bootstrap_share,
    drawn_people,
    rate,
    wilson,
)


def counts(*values: int) -> OfPeople:
    return OfPeople(np.array(values, np.int64))


def test_wilson_agrees_with_the_published_example() -> None:
    # R. G. Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263.
    low, high = wilson(81, 263)
    assert low == pytest.approx(0.2553, abs=1e-4)
    assert high == pytest.approx(0.3662, abs=1e-4)


def test_wilson_of_nothing_seen_is_still_a_bound() -> None:
    low, high = wilson(0, 3000)
    assert low == 0.0
    assert 0.001 < high < 0.0013
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 3000, 0.999).high > high


def test_the_interval_of_a_share_ends_at_1() -> None:
    # Two strangers are taken for the third person: whoever is drawn twice is drawn for both of them.
    named = OfPairs(np.array([0, 1]), np.array([2, 2]), np.array([1, 1]))
    found = rate(named, counts(1, 1, 0), drawn_people(3))
    assert np.percentile(found.drawn, 97.5) > 1
    assert found.interval().high == 1.0


def test_a_rate_by_hand() -> None:
    # 2 of 8 looks at one person, none of 12 at another.
    found = rate(counts(2, 0), counts(8, 12), drawn_people(2))
    assert (found.hits, found.looks, found.share) == (2, 20, 0.1)
    # Whoever is drawn twice has all looks: 0, 2 of 20, or 2 of 8.
    assert set(np.round(found.drawn, 6)) == {0.0, 0.1, 0.25}


def test_all_against_all_counts_pairs_of_two_people() -> None:
    pictures = AllAgainstAll(np.array([3, 2, 1], np.int64))
    assert pictures.total() == 3 * 2 + 3 * 1 + 2 * 1
    # The first drawn twice, the third never: only the pairs of the first two, twice.
    assert pictures.of_draws(np.array([[2, 1, 0]], np.float32)).tolist() == [12.0]


def test_a_pair_counts_by_the_product_of_its_people_and_one_person_once() -> None:
    events = OfPairs(np.array([0, 1]), np.array([2, 1]), np.array([5, 7], np.int64))
    assert events.total() == 12
    assert events.of_draws(np.array([[2, 3, 4]], np.float32)).tolist() == [2 * 4 * 5 + 3 * 7]


def test_complete_and_listed_pairs_agree() -> None:
    pictures = np.array([3, 2, 4, 1], np.int64)
    first, second = np.triu_indices(4, k=1)
    listed = OfPairs(first, second, pictures[first] * pictures[second])
    draws = drawn_people(4, 50)
    assert AllAgainstAll(pictures).total() == listed.total()
    np.testing.assert_allclose(AllAgainstAll(pictures).of_draws(draws), listed.of_draws(draws))


def test_bootstrap_of_a_share_draws_people_not_looks() -> None:
    # One of ten people has all the errors: looks at this person are no independent evidence.
    looks = np.full(10, 100.0)
    hits = np.array([100.0] + [0.0] * 9)
    low, high = bootstrap_share(hits, looks)
    assert low == 0.0
    assert high >= 0.3 > wilson(100, 1000).high
    assert bootstrap_share(np.zeros(10), looks) == (0.0, 0.0)


def test_without_errors_the_interval_is_wilsons() -> None:
    found = rate(counts(*[0] * 30), counts(*[10] * 30), drawn_people(30))
    assert found.interval() == wilson(0, 300)


def test_without_looks_nothing_is_known() -> None:
    found = rate(counts(0, 0), counts(0, 0), drawn_people(2))
    assert np.isnan(found.share)
    assert found.interval() == (0.0, 1.0)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """People differ in how often they are missed, so looks at one depend on each other: Wilson's interval alone is too narrow."""
    generator = np.random.default_rng(5)
    people, looks, truth = 80, 20, 0.1  # mean of beta(.5, 4.5)
    draws = drawn_people(people, 1000)
    held = held_by_wilson = 0
    for _ in range(300):
        hits = generator.binomial(looks, generator.beta(0.5, 4.5, people))
        found: Rate = rate(OfPeople(hits), counts(*[looks] * people), draws)
        held += found.interval().low <= truth <= found.interval().high
        low, high = wilson(found.hits, found.looks)
        held_by_wilson += low <= truth <= high
    assert held / 300 > 0.9
    assert held_by_wilson / 300 < 0.8


def test_intervals_of_false_matches_hold_the_truth_though_a_few_people_cause_most() -> None:
    """Of pairs each person has a part in many; the similarity of a pair is the sum of what both bring."""
    generator = np.random.default_rng(6)
    people = 60
    first, second = np.triu_indices(people, k=1)
    draws = drawn_people(people, 500)

    def matches() -> np.ndarray:
        alike = generator.normal(size=people)
        return (alike[first] + alike[second] + generator.normal(size=len(first)) > 3.0).astype(int)

    truth = np.mean([matches().mean() for _ in range(3000)])
    held = 0
    for _ in range(200):
        hits = OfPairs(first, second, matches())
        low, high = rate(hits, AllAgainstAll(np.ones(people, np.int64)), draws).interval()
        held += low <= truth <= high
    assert held / 200 > 0.88
