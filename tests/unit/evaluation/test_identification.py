"""One against many: galleries are drawn as the plan says, and every look counts once, on its side."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from facewire_server.evaluation.galleries import Galleries
from facewire_server.evaluation.identification import OneToMany, Plan, identify
from facewire_server.evaluation.intervals import drawn_people
from facewire_server.evaluation.looks import Look, rates, worst
from facewire_server.evaluation.samples import Samples
from facewire_server.evaluation.suspicions import suspicions
from facewire_server.types import DecisionPolicy
from fakes.gallery import MemoryGallery
from unit.evaluation.made import angle, picture, sample, samples


def identified(made: Samples, plan: Plan, dimension: int, threshold: float = 0.9) -> OneToMany:
    store = MemoryGallery(model_contract_id="c" * 64, dimension=dimension)
    galleries = Galleries(store, DecisionPolicy(threshold, 0.0, 0.0))
    everyone = np.arange(len(made.people))
    shares: list[float] = []
    found = asyncio.run(identify(made, everyone, plan, galleries.new, shares.append))
    assert found is not None
    assert shares[-1] == 1.0
    return found


def axes(people: int, pictures: int) -> dict[str, Sequence[np.ndarray | None]]:
    """People who resemble themselves wholly, and no one else at all."""
    return {
        f"p{number:02}": [np.eye(people, dtype=np.float32)[number]] * pictures
        for number in range(people)
    }


def test_people_who_resemble_no_one_are_never_wrong() -> None:
    made = samples(axes(10, 3))
    found = identified(made, Plan(), 10)
    assert found.gallery_sizes == [5, 5]
    assert found.thresholds == (0.9, 0.9)
    result = rates(made, found.looks, drawn_people(10))
    assert (result.fpir.hits, result.fpir.looks) == (0, 2 * 5 * 3)
    assert (result.fnir.hits, result.fnir.looks) == (0, 10 * 2)  # one of three is the template


def test_a_plan_says_how_many_people_and_pictures() -> None:
    made = samples(axes(10, 3))
    found = identified(made, Plan(enrolled=3, templates=2), 10)
    assert found.gallery_sizes == [3, 3, 3]
    mates = [look for look in found.looks if look.is_enrolled]
    assert len(mates) == 9  # 9 people enrolled once each, one picture left to look at
    assert len(identified(made, Plan(enrolled=3, templates=9), 10).looks) == len(found.looks)
    fewer = identified(made, Plan(enrolled=2, galleries=2), 10)
    assert fewer.gallery_sizes == [2, 2]


def test_one_person_under_two_names_is_a_stranger_with_a_name() -> None:
    people = axes(8, 2)
    people["p07"] = people["p00"]
    made = samples(people)
    # Whatever is drawn: if one of the two is in a gallery and the other is not, both of the stranger's pictures get a name.
    result = rates(made, identified(made, Plan(enrolled=1), 8).looks, drawn_people(8))
    assert result.fpir.hits == 4
    assert result.fpir.looks == 8 * 7 * 2
    assert result.fpir.interval().high > 0.1


def test_a_person_whose_pictures_disagree_is_missed_and_so_is_one_without_a_face() -> None:
    people = axes(6, 2)
    people["p00"] = [people["p00"][0], -np.ones(6, np.float32) / np.sqrt(6).astype(np.float32)]
    people["p01"] = [people["p01"][0], None]
    made = samples(people, {name: "x" if name == "p00" else "y" for name in people})
    looks = identified(made, Plan(enrolled=3), 6).looks
    result = rates(made, looks, drawn_people(6))
    assert (result.fnir.hits, result.fnir.looks) == (2, 6)
    assert result.mated.failures >= 1  # without a face no identity is the right one
    x = rates(made, looks, drawn_people(6), "x")
    assert (x.fnir.hits, x.fnir.looks) == (1, 1)
    _, missed = worst(made, looks)
    assert [made.rows[look.row].picture.person for look in missed] == ["p00"]


def test_pictures_that_enrollment_refuses_are_no_templates_but_are_looked_at() -> None:
    vectors = np.eye(4, dtype=np.float32)
    rows = [
        sample(picture(f"p{number}", place), vectors[number], eyes_px=15.0 if place == 0 else 40.0)
        for number in range(4)
        for place in range(2)
    ]
    made = Samples(rows, 4)
    looks = identified(made, Plan(), 4).looks
    mates = [look.row for look in looks if look.is_enrolled]
    assert sorted(mates) == [0, 2, 4, 6]


def test_too_few_people_are_not_measured() -> None:
    made = samples(axes(3, 2))
    store = MemoryGallery(model_contract_id="c" * 64, dimension=3)
    galleries = Galleries(store, DecisionPolicy(0.9, 0.0, 0.0))
    assert asyncio.run(identify(made, np.arange(3), Plan(), galleries.new, lambda _: None)) is None


def test_a_false_name_counts_by_whose_name_it_is_too() -> None:
    """One person draws all false names: whether they are drawn again matters more than the number of strangers."""
    made = samples(axes(40, 2))
    looks = [
        Look(2 * stranger, 0.95, 0, is_named=stranger % 2 == 0, is_enrolled=False, threshold=0.9)
        for stranger in range(1, 40)
    ]
    low, high = rates(made, looks, drawn_people(40)).fpir.interval()
    assert low == 0.0
    assert high > 0.9


def test_doubles_and_wrong_labels_are_found() -> None:
    generator = np.random.default_rng(3)
    directions = generator.normal(size=(40, 128))

    def looks_of(number: int, count: int) -> list[np.ndarray]:
        made = directions[number] + 0.5 * generator.normal(size=(count, 128))
        return [(each / np.linalg.norm(each)).astype(np.float32) for each in made]

    people: dict[str, Sequence[np.ndarray | None]] = {
        f"p{number:02}": looks_of(number, 4) for number in range(30)
    }
    people["p03 again"] = looks_of(3, 3)
    people["p10"] = [*looks_of(10, 3), *looks_of(20, 1)]
    people["p11"] = [*looks_of(11, 3), *looks_of(35, 1)]
    made = samples(people)
    found = suspicions(made, 0.42)
    assert [(made.people[each.first], made.people[each.second]) for each in found.doubles] == [
        ("p03", "p03 again")
    ]
    names = [made.rows[each.row].picture.name for each in found.mislabeled]
    assert names == ["p10/3.jpg", "p11/3.jpg"]
    first, second = found.mislabeled
    assert (made.people[first.nearest], first.is_theirs) == ("p20", True)
    assert not second.is_theirs
    assert first.own < 0.42 <= first.similarity


def test_a_handful_of_people_is_not_suspected() -> None:
    made = samples({"ann": [angle(0), angle(90)], "bob": [angle(0)]})
    assert suspicions(made, 0.42).doubles == []


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_draws_the_same_galleries(seed: int) -> None:
    made = samples(axes(12, 2))
    first, again = (identified(made, Plan(seed=seed), 12).looks for _ in range(2))
    assert first == again
    assert first != identified(made, Plan(seed=seed + 1), 12).looks
