"""What a checkup finds in made galleries, whose faults are known: each fault once, with its number, the worst first."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.galleries import similar_pairs as similar_pairs_module
from facewire_server.galleries.checkup import (
    EnrolledPeople,
    Finding,
    FindingKind,
    StoredFaults,
    StoredTemplate,
    checkup,
)
from facewire_server.galleries.fusion import fuse
from facewire_server.galleries.similar_pairs import Band, similar_pairs
from facewire_server.galleries.single_picture import SinglePictureLimits
from facewire_server.types import Quality, QualityFault

DIMENSION = 64
GOOD = Quality(80.0, 100.0, 120.0, 30.0, 12.0, 0.0, 0.0)
LIMITS = SinglePictureLimits.above_enrollment(
    inter_eye_px=16, directional_sharpness=6, yaw=0.35, pitch=0.45
)
Vector = NDArray[np.float32]


def axis(number: int) -> Vector:
    return np.eye(DIMENSION, dtype=np.float32)[number]


def resembling(vector: Vector, similarity: float, other: int) -> Vector:
    """A vector of unit length with this cosine to another; `other` is an axis at right angles to it."""
    made = similarity * vector + math.sqrt(1 - similarity**2) * axis(other)
    return made.astype(np.float32)


def gallery(*people: list[Vector], quality: Quality = GOOD) -> EnrolledPeople:
    """Fuses the pictures of each person as the storage does; template p-i is picture i of person p."""
    starts, means, template_ids = [0], [], []
    templates = []
    for person, pictures in enumerate(people):
        fused = fuse(np.stack(pictures))
        means += [one.mean for one in fused]
        template_ids += [f"{person}-{one.rows[0]}" for one in fused]
        starts.append(len(means))
        inside = {row for one in fused for row in one.rows}
        templates += [
            StoredTemplate(person, f"{person}-{row}", quality, row in inside)
            for row in range(len(pictures))
        ]
    return EnrolledPeople(
        tuple(f"id{person}" for person in range(len(people))),
        ("",) * len(people),
        np.array(starts, np.int64),
        np.stack(means),
        tuple(template_ids),
        tuple(templates),
        np.stack([picture for pictures in people for picture in pictures]),
    )


def accepting(quality: Quality, embedding: Vector) -> tuple[QualityFault, ...]:
    return ()


def found(
    people: EnrolledPeople,
    *,
    least: float = 0.4,
    limit: int = 20,
    stored_faults: StoredFaults = accepting,
) -> dict[FindingKind, list[Finding]]:
    """What a checkup lists, without the kinds of which there is nothing; totals must agree."""
    results = checkup(
        people,
        least_double=0.5,
        least_confusable=least,
        limits=LIMITS,
        stored_faults=stored_faults,
        limit=limit,
    )
    assert all(len(one.listed) == min(limit, one.total) for one in results.values())
    return {kind: list(one.listed) for kind, one in results.items() if one.total}


def test_in_a_gallery_without_faults_nothing_is_found() -> None:
    assert found(gallery(*([axis(number)] for number in range(20)))) == {}


def test_a_person_under_two_names_and_two_who_look_alike_are_told_apart() -> None:
    people = gallery(
        [axis(0)],
        [axis(1)],
        [resembling(axis(0), 0.8, 10)],
        [resembling(axis(1), 0.45, 11)],
        [resembling(axis(1), 0.39, 12)],
    )
    results = found(people)
    assert list(results) == [FindingKind.PROBABLE_DOUBLE, FindingKind.CONFUSABLE]
    (double,), (confusable,) = results.values()
    assert (double.people, double.template_ids) == ((0, 2), ("0-0", "2-0"))
    assert double.value == pytest.approx(0.8, abs=1e-6)
    assert (confusable.people, confusable.template_ids) == ((1, 3), ("1-0", "3-0"))
    assert confusable.value == pytest.approx(0.45, abs=1e-6)


def test_no_two_people_are_confusable_below_a_threshold_that_high() -> None:
    people = gallery([axis(0)], [resembling(axis(0), 0.49, 10)], [resembling(axis(0), 0.55, 11)])
    assert list(found(people, least=0.6)) == [FindingKind.PROBABLE_DOUBLE]


def test_a_wrong_picture_of_three_is_found_and_no_one_else_resembles_it() -> None:
    right = resembling(axis(0), 0.9, 10)
    results = found(gallery([axis(0), resembling(axis(0), 0.1, 20), right], [axis(5)]))
    assert list(results) == [FindingKind.LEFT_OUT]
    (wrong,) = results[FindingKind.LEFT_OUT]
    mean = axis(0) + right
    expected = resembling(axis(0), 0.1, 20) @ mean / np.linalg.norm(mean)
    assert (wrong.people, wrong.template_ids) == ((0,), ("0-1",))
    assert wrong.value == pytest.approx(expected, abs=1e-6)
    assert (wrong.resembled, wrong.resembled_similarity) == (None, 0.0)


@pytest.mark.parametrize(("similarity", "is_named"), [(0.9, True), (0.41, True), (0.39, False)])
def test_whom_a_picture_resembles_that_is_left_out_is_named(
    similarity: float, is_named: bool
) -> None:
    wrong = resembling(axis(5), similarity, 20)
    right = resembling(axis(0), 0.9, 10)
    people = gallery([axis(4)], [axis(0), wrong, right], [axis(6)], [axis(5), axis(5)])
    (left_out,) = found(people)[FindingKind.LEFT_OUT]
    assert left_out.template_ids == ("1-1",)
    if is_named:
        assert left_out.resembled == 3
        assert left_out.resembled_similarity == pytest.approx(similarity, abs=1e-6)
    else:
        assert left_out.resembled is None


def test_a_gallery_of_one_person_has_no_other_whom_a_picture_resembles() -> None:
    people = gallery([axis(0), axis(20), resembling(axis(0), 0.9, 10)])
    (left_out,) = found(people, least=-2.0)[FindingKind.LEFT_OUT]
    assert left_out.resembled is None


def test_templates_that_enrollment_would_refuse_are_found_whosever_they_are() -> None:
    upside_down = resembling(axis(0), 0.8, 40)

    def faults(quality: Quality, embedding: Vector) -> tuple[QualityFault, ...]:
        return (QualityFault.UPSIDE_DOWN,) if embedding @ axis(40) > 0.5 else ()

    good = [resembling(axis(0), 0.9, 10), axis(0)]
    people = gallery([*good, upside_down], [axis(1)], [axis(40)])
    results = found(people, stored_faults=faults)
    one, only = results[FindingKind.REFUSED_TEMPLATE]
    assert (one.people, one.template_ids, one.faults) == (
        (0,),
        ("0-2",),
        (QualityFault.UPSIDE_DOWN,),
    )
    assert one.value == pytest.approx(float(people.means[0] @ upside_down), abs=1e-6)
    assert (only.people, only.template_ids) == ((2,), ("2-0",))
    assert list(results) == [FindingKind.REFUSED_TEMPLATE]


def test_an_only_picture_that_enrollment_would_refuse_is_found_once() -> None:
    people = gallery([axis(0)], quality=GOOD._replace(directional_sharpness=4.5))
    results = found(people, stored_faults=lambda *_: (QualityFault.BLURRED,))
    assert list(results) == [FindingKind.REFUSED_TEMPLATE]


def test_two_pictures_that_disagree_are_found_and_either_may_resemble_another_person() -> None:
    people = gallery([axis(0)], [axis(1), resembling(axis(0), 0.7, 20)])
    results = found(people)
    (double,) = results[FindingKind.PROBABLE_DOUBLE]
    assert (double.people, double.template_ids) == ((0, 1), ("0-0", "1-1"))
    (disagreeing,) = results[FindingKind.DISAGREEING]
    assert (disagreeing.people, disagreeing.template_ids) == ((1,), ("1-0", "1-1"))
    assert disagreeing.value == pytest.approx(0.0, abs=1e-6)
    assert len(results) == 2


@pytest.mark.parametrize(
    ("quality", "share", "faults"),
    [
        (GOOD._replace(inter_eye_px=18.0), 0.75, (QualityFault.TOO_SMALL,)),
        (GOOD._replace(directional_sharpness=4.5), 0.5, (QualityFault.BLURRED,)),
        (GOOD._replace(yaw=-0.35), 1 / 1.5, (QualityFault.TURNED_AWAY,)),
        (GOOD._replace(pitch=0.6), 0.5, (QualityFault.TURNED_AWAY,)),
        (
            GOOD._replace(inter_eye_px=12.0, directional_sharpness=6.0),
            0.5,
            (QualityFault.TOO_SMALL, QualityFault.BLURRED),
        ),
    ],
)
def test_a_poor_picture_is_found_if_it_is_the_only_one(
    quality: Quality, share: float, faults: tuple[QualityFault, ...]
) -> None:
    results = found(gallery([axis(0)], [axis(1), axis(1)], quality=quality))
    assert list(results) == [FindingKind.POOR_PICTURE]
    (poor,) = results[FindingKind.POOR_PICTURE]
    assert (poor.people, poor.template_ids, poor.faults) == ((0,), ("0-0",), faults)
    assert poor.value == pytest.approx(share)


def test_what_was_not_stored_or_is_not_asked_for_is_no_fault() -> None:
    unknown = Quality(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert LIMITS.standing(unknown).faults == ()
    poor = Quality(1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0)
    assert len(LIMITS.standing(poor).faults) == 3
    assert SinglePictureLimits(0, 0, 0, 0).standing(poor).faults == ()


def test_the_worst_are_listed_and_all_are_counted() -> None:
    similarities = [0.6, 0.9, 0.7, 0.8]
    pairs = [
        ([axis(number)], [resembling(axis(number), similarity, 30 + number)])
        for number, similarity in enumerate(similarities)
    ]
    results = checkup(
        gallery(*(person for pair in pairs for person in pair)),
        least_double=0.5,
        least_confusable=0.4,
        limits=LIMITS,
        stored_faults=accepting,
        limit=2,
    )
    doubles = results[FindingKind.PROBABLE_DOUBLE]
    assert doubles.total == 4
    assert [one.value for one in doubles.listed] == pytest.approx([0.9, 0.8], abs=1e-6)
    assert [one.people for one in doubles.listed] == [(2, 3), (6, 7)]


@pytest.mark.parametrize("block_people", [1, 7, 64, 1000])
def test_the_pairs_of_all_blocks_are_those_of_a_loop_over_all_pairs(
    monkeypatch: pytest.MonkeyPatch, block_people: int
) -> None:
    monkeypatch.setattr(similar_pairs_module, "_BLOCK_PEOPLE", block_people)
    random = np.random.default_rng(5)
    counts = random.integers(1, 3, size=100)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    means = random.normal(size=(starts[-1], 8)).astype(np.float32)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    bands = (Band(0.75, 2.0), Band(0.5, 0.75))
    expected: list[list[tuple[float, int, int]]] = [[], []]
    for a, b in itertools.combinations(range(100), 2):
        products = means[starts[a] : starts[a + 1]] @ means[starts[b] : starts[b + 1]].T
        for band, kept in zip(bands, expected, strict=True):
            if band.least <= products.max() < band.below:
                kept.append((float(products.max()), a, b))
    shares: list[float] = []
    pairs = similar_pairs(means, starts, bands, limit=30, progress=shares.append)
    for one, kept in zip(pairs, expected, strict=True):
        assert one.total == len(kept) > 30
        kept.sort(key=lambda each: -each[0])
        assert [(each.first, each.second) for each in one.listed] == [
            each[1:] for each in kept[:30]
        ]
    if block_people < 100:
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
    else:
        assert shares == []
