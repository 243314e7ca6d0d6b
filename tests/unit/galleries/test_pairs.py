"""How much people resemble one another: every pair of different people counts, probable doubles do not."""

import numpy as np
import pytest

from facewire_server.galleries.pairs import gallery_pairs


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


RANDOM = np.random.default_rng(3)
ROWS = unit(RANDOM.normal(size=(60, 64)) + 0.35)


def test_it_is_the_mean_and_spread_of_each_template_with_each_other_persons_mean() -> None:
    people = np.arange(60) // 2  # two templates each
    means = unit(ROWS[::2] + ROWS[1::2])
    expected = [
        float(ROWS[row] @ means[other])
        for row in range(60)
        for other in range(30)
        if other != people[row]
    ]
    found = gallery_pairs(ROWS, people, means, np.arange(30))
    kept = [one for one in expected if one < 0.5]
    assert found.mean == pytest.approx(np.mean(kept), abs=1e-6)
    assert found.spread == pytest.approx(np.std(kept), abs=1e-6)
    assert found.identity_count == 30


def test_a_person_under_two_names_changes_nothing() -> None:
    people = np.arange(30)
    alone = gallery_pairs(ROWS[:30], people, ROWS[:30], people)
    twice = np.concatenate([ROWS[:30], ROWS[:1]])
    people = np.arange(31)
    found = gallery_pairs(twice, people, twice, people)
    assert (found.mean, found.spread) == pytest.approx((alone.mean, alone.spread), abs=0.01)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_people_say_nothing(count: int) -> None:
    people = np.arange(count)
    assert gallery_pairs(ROWS[:count], people, ROWS[:count], people).identity_count == 0


def test_people_who_are_all_doubles_say_nothing() -> None:
    rows = np.repeat(ROWS[:1], 5, axis=0)
    people = np.arange(5)
    assert gallery_pairs(rows, people, rows, people).identity_count == 0
