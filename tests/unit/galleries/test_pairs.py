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


def pictures_of(people: int, count: int, scatter: float) -> np.ndarray:
    """(people * count, 64): pictures of each person, one person after the other."""
    random = np.random.default_rng(5)
    base = np.repeat(random.normal(size=(people, 64)) + 0.3, count, axis=0)
    return unit(base + scatter * random.normal(size=base.shape))


@pytest.mark.parametrize("people", [1, 2, 40])
def test_the_cohesion_is_the_length_of_the_means_before_they_were_normalized(people: int) -> None:
    rows = pictures_of(people, 3, 0.6)
    sums = rows.reshape(people, 3, 64).mean(axis=1)
    lengths = np.linalg.norm(sums, axis=1)
    found = gallery_pairs(rows, np.arange(3 * people) // 3, unit(sums), np.arange(people))
    assert found.cohesion == pytest.approx(people / (1 / lengths).sum(), abs=2e-6)
    assert found.identity_count == (people if people > 1 else 0)


def test_a_mean_of_one_picture_has_the_cohesion_one_exactly() -> None:
    people = np.arange(60)
    longer = ROWS * np.float32(1.0005)
    assert gallery_pairs(longer, people, longer, people).cohesion == 1
    assert gallery_pairs(ROWS[:0], people[:0], ROWS[:0], people[:0]).cohesion == 1


def test_two_pictures_that_disagree_are_a_mean_each_and_say_nothing_of_cohesion() -> None:
    people = np.array([0, 0, *range(1, 59)])  # the first person is searched by two
    assert gallery_pairs(ROWS, people, ROWS, people).cohesion == 1


def test_its_means_resemble_strangers_more_by_its_cohesion() -> None:
    rows = pictures_of(200, 4, 0.8)
    owners, people = np.arange(800) // 4, np.arange(200)
    fused = gallery_pairs(rows, owners, unit(rows.reshape(200, 4, 64).mean(axis=1)), people)
    alone = gallery_pairs(rows[::4], people, rows[::4], people)
    assert fused.cohesion < 0.9
    assert fused.mean == pytest.approx(alone.mean / fused.cohesion, rel=0.1)


def test_of_people_who_resemble_one_another_more_a_pair_above_half_is_no_double() -> None:
    """As of models whose similarities of different people are spread more than SFace's."""
    random = np.random.default_rng(9)
    rows = unit(random.normal(size=(400, 20)) + 0.25)
    people = np.arange(400)
    similarities = (rows @ rows.T)[np.triu_indices(400, 1)]
    assert (similarities > 0.5).mean() > 0.01
    found = gallery_pairs(rows, people, rows, people)
    assert found.spread == pytest.approx(similarities.std(), rel=0.01)
    doubled = np.concatenate([rows, unit(rows[:20] + 0.05 * random.normal(size=(20, 20)))])
    people = np.arange(420)
    assert gallery_pairs(doubled, people, doubled, people).spread == pytest.approx(
        found.spread, rel=0.01
    )
