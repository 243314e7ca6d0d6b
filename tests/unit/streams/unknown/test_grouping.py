"""Whom an unknown visit shows: the rule of a gallery, on the mean similarity of looks."""

import numpy as np
import pytest

from facewire_server.streams.unknown.grouping import person_of
from facewire_server.streams.unknown.values import MAX_PICTURES, MAX_VISITS, UnknownPerson
from facewire_server.types import DecisionPolicy
from fakes.error_rates import by_size
from fakes.unknown_people import axis, turned, visit

BY_SIZE = DecisionPolicy(None, 0.03, 0.0, error_rates=by_size((1, 0.4), (2, 0.6)))


def person(number: int, *means: np.ndarray) -> UnknownPerson:
    return UnknownPerson(number, tuple(visit(mean) for mean in means))


def policy(threshold: float) -> DecisionPolicy:
    return DecisionPolicy(threshold, 0.03, 0.0)


@pytest.mark.parametrize(("cosine", "joins"), [(0.51, True), (0.49, False)])
def test_a_visit_joins_whom_it_resembles_by_the_threshold(cosine: float, joins: bool) -> None:
    people = [person(1, axis(0)), person(2, axis(1))]
    found = person_of(visit(turned(1, 5, cosine)), people, policy(0.5))
    assert (found.unknown_id if found else None) == (2 if joins else None)


def test_of_several_the_nearest_is_taken() -> None:
    people = [person(1, turned(0, 1, 0.8)), person(2, axis(0))]
    found = person_of(visit(turned(0, 1, 0.9)), people, policy(0.5))
    assert found is people[0]  # .98; the other one .9


def test_the_looks_are_compared_and_not_the_directions_of_their_means() -> None:
    # Two visits that resemble each other by .2 each resemble a third one by .45: the mean of their similarities, while the
    # direction of their mean resembles it by .58.
    parts = np.sqrt(1 - 0.45**2)
    first, second = turned(0, 1, 0.45), np.asarray(
        0.45 * axis(0) - 0.0025 / parts * axis(1) + np.sqrt(1 - 0.45**2 - (0.0025 / parts) ** 2) * axis(2),
        np.float32,
    )  # fmt: skip
    assert float(first @ second) == pytest.approx(0.2, abs=1e-5)
    both = person(1, first, second)
    direction = both.looks_mean / np.linalg.norm(both.looks_mean)
    assert float(direction @ axis(0)) > 0.55
    assert person_of(visit(axis(0)), [both], policy(0.5)) is None
    assert person_of(visit(axis(0)), [both], policy(0.44)) is both


def test_the_threshold_is_by_the_number_of_unknown_people() -> None:
    newcomer = visit(turned(0, 9, 0.5))
    assert person_of(newcomer, [person(1, axis(0))], BY_SIZE) is not None
    assert person_of(newcomer, [person(1, axis(0)), person(2, axis(1))], BY_SIZE) is None


def test_a_track_goes_on_with_its_person_whatever_it_resembles() -> None:
    first = visit(axis(0), track_id=9)
    people = [UnknownPerson(9, (first,)), person(2, axis(1))]
    assert person_of(visit(axis(1), track_id=9), people, policy(0.5)) is people[0]


def test_no_one_is_resembled_where_no_one_is() -> None:
    assert person_of(visit(axis(0)), [], policy(0.5)) is None


def test_tracks_of_one_visit_are_one_visit() -> None:
    first = visit(axis(0), track_id=5, visit_id=5, at_us=10_000_000, eyes_px=60, jpeg=b"near")
    later = visit(axis(0), track_id=6, visit_id=5, at_us=40_000_000, eyes_px=50, jpeg=b"far")
    one = UnknownPerson(5, (first,)).with_visit(later)
    (only,) = one.visits
    assert (only.track_id, only.first_seen_us, only.last_seen_us) == (6, 10_000_000, 50_000_000)
    assert only.picture is first.picture


def test_the_best_pictures_and_the_newest_visits_are_kept() -> None:
    known = UnknownPerson(1, (visit(axis(0), eyes_px=1.0, jpeg=b"1", camera_id="old"),))
    for number in range(2, MAX_VISITS + 2):
        known = known.with_visit(visit(axis(0), eyes_px=float(number), jpeg=b"%d" % number))
    assert len(known.visits) == MAX_VISITS
    assert known.camera_ids == ("door",)
    newest = range(MAX_VISITS + 1, MAX_VISITS + 1 - MAX_PICTURES, -1)
    assert [one.picture_px for one in known.pictures] == [float(number) for number in newest]
    assert sum(one.picture is not None for one in known.visits) == MAX_PICTURES


def test_each_visit_counts_alike_in_the_mean() -> None:
    assert np.allclose(person(1, axis(0), axis(0), axis(3)).looks_mean[[0, 3]], [2 / 3, 1 / 3])
