"""A calibration is what the people give: its rates are those that were counted, and its bounds are above them."""

import numpy as np
import pytest

from facewire_server.evaluation.calibrating import LEAST_PEOPLE, calibrated, fmr_intervals


def people(count: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Probes and templates of people, of whom all are a little alike."""
    random = np.random.default_rng(seed)
    directions = random.normal(size=(count, 64)) + 0.3
    both = [directions + 0.3 * random.normal(size=directions.shape) for _ in range(2)]
    probes, templates = (
        (each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32) for each in both
    )
    return probes, templates


def test_the_rates_are_counted_over_pairs_of_different_people_as_far_as_30_comparisons_reach() -> (
    None
):
    probes, templates = people(400)
    measured = calibrated(probes, templates, 0)
    assert (measured.people, measured.comparisons) == (400, 400 * 399)
    made = measured.calibration
    # 159,600 comparisons: 1,596, 160, and 16 would be too few.
    assert [point.fmr for point in made.points] == [1e-2, 1e-3]
    assert made.measured_to_fmr == 1e-3
    similarities = probes @ templates.T
    others = similarities[~np.eye(400, dtype=bool)]
    assert made.mean == pytest.approx(others.mean(), abs=1e-4)
    assert made.spread == pytest.approx(others.std(), abs=1e-4)
    for point, hits in zip(made.points, measured.hits, strict=True):
        assert hits == (others >= point.similarity).sum()
        assert hits / len(others) == pytest.approx(point.fmr, rel=0.05)
        assert point.fmr < point.fmr_bound < 2 * point.fmr


def test_a_calibration_holds_for_other_people_within_its_bound() -> None:
    probes, templates = people(1200)
    made = calibrated(probes[:600], templates[:600], 0).calibration
    others = (probes[600:] @ templates[600:].T)[~np.eye(600, dtype=bool)]
    for point in made.points:
        assert (others >= point.similarity).mean() == pytest.approx(point.fmr, rel=0.5)


def test_the_interval_is_over_people() -> None:
    # One person whom all others resemble: hit or not, by whether this person is drawn.
    similarities = np.zeros((100, 100), np.float32)
    similarities[:, 7] = 0.9
    ((low, high),) = fmr_intervals(similarities, [0.5], 0)
    assert low == 0.0
    assert 0.02 < high < 0.05
    np.fill_diagonal(similarities, 1.0)  # the same person does not count
    assert fmr_intervals(similarities, [0.95], 0) == [(0.0, 0.0)]


def test_too_few_people_and_people_who_are_all_alike_give_none() -> None:
    probes, templates = people(LEAST_PEOPLE - 1)
    with pytest.raises(ValueError, match="199 people"):
        calibrated(probes, templates, 0)
    same = np.full((LEAST_PEOPLE, 4), 0.5, np.float32)
    with pytest.raises(ValueError, match="calibration"):
        calibrated(same, same, 0)
