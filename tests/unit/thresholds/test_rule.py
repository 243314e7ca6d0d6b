"""The rule of a gallery: the rate shared by its people, their own mean and spread as far as they are known."""

from itertools import pairwise

import pytest

from facewire_server.app.values import read_model_contract
from facewire_server.thresholds import (
    Calibration,
    ErrorRates,
    GalleryPairs,
    gallery_rule,
    likeness,
)
from facewire_server.thresholds.alarms import false_names_a_month, fpir_of_alarms

STATED = read_model_contract("sface").calibration
assert STATED is not None
SHIPPED: Calibration = STATED
LIKE_THE_MODEL = GalleryPairs(SHIPPED.mean, SHIPPED.spread, 1000)


@pytest.mark.parametrize(
    ("count", "threshold"),
    # At .3 %: measured on LFW with one template a person, .497 at 1,000.
    [(10, 0.401), (30, 0.426), (50, 0.438), (100, 0.452), (300, 0.475), (1000, 0.497)],
)
def test_without_pairs_it_is_what_was_measured_by_size(count: int, threshold: float) -> None:
    found = gallery_rule(SHIPPED, 0.003, count)
    assert found.threshold == pytest.approx(threshold, abs=0.004)
    likeness = found.likeness
    assert (likeness.mean, likeness.spread, likeness.shrinkage) == (SHIPPED.mean, SHIPPED.spread, 0)


def test_the_rate_is_shared_by_the_comparisons() -> None:
    assert gallery_rule(SHIPPED, 0.01, 100).threshold == pytest.approx(SHIPPED.similarity_at(1e-4))
    empty, one = (gallery_rule(SHIPPED, 0.003, count).threshold for count in (0, 1))
    assert empty == one


def test_pairs_like_the_models_change_nothing() -> None:
    with_pairs = gallery_rule(SHIPPED, 0.003, 1000, LIKE_THE_MODEL)
    assert with_pairs.threshold == pytest.approx(gallery_rule(SHIPPED, 0.003, 1000).threshold)
    assert with_pairs.likeness.shrinkage == pytest.approx(1000 / 1020)


def test_people_who_resemble_one_another_more_raise_it() -> None:
    alike = GalleryPairs(0.139, 0.093, 50)
    found = gallery_rule(SHIPPED, 0.003, 50, alike)
    weight = 50 / 70
    assert found.likeness.mean == pytest.approx(weight * 0.139 + (1 - weight) * SHIPPED.mean)
    z = (SHIPPED.similarity_at(0.003 / 50) - SHIPPED.mean) / SHIPPED.spread
    assert found.threshold == pytest.approx(found.likeness.mean + found.likeness.spread * z)
    assert found.threshold > gallery_rule(SHIPPED, 0.003, 50).threshold + 0.02


@pytest.mark.parametrize("pairs", [GalleryPairs(0.4, 0.2, 9), GalleryPairs(0.4, 0.0, 40)])
def test_pairs_that_say_too_little_do_not_count(pairs: GalleryPairs) -> None:
    assert gallery_rule(SHIPPED, 0.003, 9, pairs).threshold == pytest.approx(
        gallery_rule(SHIPPED, 0.003, 9).threshold
    )


def test_the_rate_at_the_threshold_is_the_wanted_one() -> None:
    found = gallery_rule(SHIPPED, 0.003, 200, GalleryPairs(0.12, 0.1, 200))
    assert found.likeness.fmr_at(found.threshold).value == pytest.approx(0.003 / 200)
    assert found.likeness.fmr_at(found.threshold + 0.05).value < 0.003 / 200


def test_it_says_when_it_rests_on_what_was_not_measured() -> None:
    assert not gallery_rule(SHIPPED, 0.003, 1000).is_extrapolated
    assert gallery_rule(SHIPPED, 0.003, 100_000).is_extrapolated


def test_it_never_falls_with_more_people_and_is_at_most_one() -> None:
    values = [gallery_rule(SHIPPED, 0.003, round(1.3**row)).threshold for row in range(150)]
    assert all(low <= high for low, high in pairwise(values))
    assert values[-1] <= 1


def test_no_name_is_easier_to_get_than_the_same_person_of_two_pictures() -> None:
    rates = ErrorRates(SHIPPED)
    of_pair = rates.threshold_of_pair().value
    assert of_pair == pytest.approx(SHIPPED.similarity_at(1e-4))
    assert gallery_rule(SHIPPED, 0.003, 1).threshold < of_pair - 0.05
    assert rates.threshold_among(1).value == rates.threshold_among(20).value == of_pair
    assert rates.threshold_among(40).value > of_pair


def test_means_of_several_pictures_raise_it_and_what_no_comparison_may_be_easier_than() -> None:
    rates = ErrorRates(SHIPPED)
    for count in (1, 20, 200):
        pairs = [GalleryPairs(0.12, 0.1, count, cohesion) for cohesion in (1.0, 0.9, 0.8)]
        values = [rates.threshold_among(count, one).value for one in pairs]
        assert values[0] < values[1] < values[2] < values[0] + 0.15
    # The people's own pairs are of means already: the more there are, the less the calibration counts.
    of_few, of_many = (
        gallery_rule(SHIPPED, 0.003, 500, GalleryPairs(0.12, 0.1, count, 0.8)).threshold
        - gallery_rule(SHIPPED, 0.003, 500, GalleryPairs(0.12, 0.1, count)).threshold
        for count in (10, 1000)
    )
    assert of_few > 10 * of_many > 0


def test_a_rate_and_its_similarity_between_means_agree() -> None:
    found = likeness(SHIPPED, GalleryPairs(0.12, 0.1, 200, 0.85))
    between = found.between_means()
    for one in (found, between):
        assert one.fmr_at(one.similarity_at(1e-5)).value == pytest.approx(1e-5)
    assert between.similarity_at(1e-5) > found.similarity_at(1e-5)
    alone = likeness(SHIPPED, LIKE_THE_MODEL)
    assert alone.between_means() == alone


def test_alarms_a_month_are_a_rate() -> None:
    # 1 false alarm in 30.4 days of 100 strangers.
    assert fpir_of_alarms(1, 100) == pytest.approx(1 / 3043.75)
    assert false_names_a_month(fpir_of_alarms(4, 250), 250) == pytest.approx(4)
    assert fpir_of_alarms(1000, 1) == 0.5


@pytest.mark.parametrize(("alarms", "strangers"), [(0, 10), (1, 0), (-1, 5), (float("nan"), 5)])
def test_alarms_that_are_no_number_are_refused(alarms: float, strangers: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        fpir_of_alarms(alarms, strangers)
