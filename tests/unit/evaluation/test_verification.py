"""One against one: every count by hand."""

import numpy as np
import pytest

from facewire_server.evaluation.acquisition import Detection, acquisition, detection
from facewire_server.evaluation.histograms import det
from facewire_server.evaluation.intervals import drawn_people
from facewire_server.evaluation.labels import LabeledPair
from facewire_server.evaluation.samples import Failure, Sample, Samples
from facewire_server.evaluation.verification import OneToOne, Thresholds, verify
from unit.evaluation.made import angle, picture, sample, samples, unreadable

AT_60_DEGREES = Thresholds(0.5, 0.5, 0.0)


def verified(
    made: Samples, pairs: list[LabeledPair] | None = None, thresholds: Thresholds = AT_60_DEGREES
) -> OneToOne:
    return verify(made, pairs, thresholds, drawn_people(len(made.people), 200))


def test_each_picture_with_each_other_by_hand() -> None:
    # Similar if at most 60 degrees apart. Mated: 0-10 match, 0-80 and 10-80 of Ann do not; of Bob one has no face.
    made = samples({"ann": [angle(0), angle(10), angle(80)], "bob": [angle(90), angle(100), None]})
    found = verified(made).scopes[""]
    assert found.fnmr is not None
    assert found.fmr is not None
    # Ann 2 of 3; Bob 90-100 matches, and two pairs have no face: 2 of 3.
    assert (found.fnmr.hits, found.fnmr.looks) == (4, 6)
    # Of 3 x 2: 80 with 90 and 100 match.
    assert (found.fmr.hits, found.fmr.looks) == (2, 6)
    assert found.mated.failures == 2


def test_groups_count_pairs_of_their_own_people() -> None:
    people = {
        "ann": [angle(0), angle(5)],
        "bob": [angle(30)],
        "cy": [angle(40)],
        "di": [angle(170)],
    }
    made = samples(people, {"ann": "x", "bob": "x", "cy": "y", "di": "y"})
    scopes = verified(made).scopes
    assert list(scopes) == ["", "x", "y"]
    everyone, x, y = (scopes[name].fmr for name in scopes)
    assert everyone is not None
    assert x is not None
    assert y is not None
    assert (everyone.hits, everyone.looks) == (5, 9)
    assert (x.hits, x.looks) == (2, 2)
    assert (y.hits, y.looks) == (0, 1)


def test_pairs_of_a_table_by_hand_with_the_worst_first() -> None:
    made = samples({"ann": [angle(0), angle(70), None], "bob": [angle(20), angle(90)]})
    pairs = [
        LabeledPair(0, 1, True, ""),
        LabeledPair(0, 2, True, ""),
        LabeledPair(3, 4, True, ""),
        LabeledPair(0, 3, False, ""),
        LabeledPair(1, 4, False, ""),
        LabeledPair(0, 4, False, ""),
        LabeledPair(2, 4, False, ""),
    ]
    found = verified(made, pairs)
    scope = found.scopes[""]
    assert scope.fmr is not None
    assert scope.fnmr is not None
    assert (scope.fnmr.hits, scope.fnmr.looks) == (3, 3)
    assert (scope.fmr.hits, scope.fmr.looks) == (2, 3)  # the one without a face is no comparison
    assert [(each.first, each.second) for each in found.false_matches] == [(0, 3), (1, 4)]
    assert found.false_matches[0].similarity == pytest.approx(np.cos(np.deg2rad(20)), abs=1e-6)
    assert {(each.first, each.second) for each in found.false_non_matches} == {(0, 1), (3, 4)}


def test_all_pairs_in_blocks_are_all_pairs() -> None:
    generator = np.random.default_rng(1)
    vectors = generator.normal(size=(600, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = samples(
        {f"p{number}": list(vectors[3 * number : 3 * number + 3]) for number in range(200)}
    )
    found = verified(made).scopes[""]
    similar = vectors @ vectors.T
    one, other = np.triu_indices(600, k=1)
    is_mated = one // 3 == other // 3
    assert found.fmr is not None
    assert found.fmr.looks == int((~is_mated).sum()) == found.non_mated.total()
    # The rows are in order of the names, and similarities are not.
    assert found.fmr.hits == int((similar[one, other][~is_mated] >= 0.5).sum())


def test_two_blurred_faces_need_more() -> None:
    rows = [
        sample(picture("ann", 0), angle(0), sharpness=1.0),
        sample(picture("bob", 0), angle(50), sharpness=1.0),
        sample(picture("cy", 0), angle(100), sharpness=9.0),
    ]
    made = Samples(rows, 2)
    usual, raised = (
        verified(made, None, each).scopes[""].fmr
        for each in (AT_60_DEGREES, Thresholds(0.5, 0.7, 6.0))
    )
    assert usual is not None
    assert raised is not None
    assert usual.hits == 2  # 0-50 and 50-100
    assert raised.hits == 1  # .64 is not enough for 0-50, both blurred


def test_a_det_curve_passes_through_the_rates_at_a_threshold() -> None:
    made = samples({"ann": [angle(0), angle(10), angle(80)], "bob": [angle(90), angle(100), None]})
    found = verified(made).scopes[""]
    curve = det(found.mated, found.non_mated)
    assert curve is not None
    at = int(np.flatnonzero(curve.threshold <= 0.5)[-1])
    assert curve.false_positive[at] == pytest.approx(2 / 6)
    assert curve.false_negative[at] == pytest.approx(4 / 6)
    assert (np.diff(curve.false_positive) <= 0).all()
    assert (np.diff(curve.false_negative) >= 0).all()


def test_failures_are_counted_by_what_failed() -> None:
    rows = [
        sample(picture("ann", 0, "x"), angle(0)),
        sample(picture("ann", 1, "x"), angle(0), eyes_px=15.0),
        sample(picture("bob", 0, "y"), angle(0), eyes_px=5.0),
        sample(picture("bob", 1, "y"), None),
        unreadable(picture("bob", 2, "y")),
        Sample(picture("bob", 3, "y"), None, Failure.REPEATED),
    ]
    made = Samples(rows, 2)
    draws = drawn_people(2)
    found = acquisition(made, draws)
    assert found.pictures == 6
    assert found.failures == {Failure.NO_FACE: 1, Failure.UNREADABLE: 1, Failure.REPEATED: 1}
    assert (found.to_acquire.hits, found.to_acquire.looks) == (2, 4)
    assert (found.to_enroll.hits, found.to_enroll.looks) == (3, 4)
    assert (found.people, found.people_refused) == (2, 1)
    assert found.not_searched == {"too small": 1}
    assert found.not_enrolled == {"too small": 2}
    y = acquisition(made, draws, "y")
    assert (y.pictures, y.people, y.to_acquire.hits, y.to_acquire.looks) == (4, 1, 2, 2)


def test_faces_are_counted_against_what_the_labels_say() -> None:
    rows = [
        sample(picture("ann", 0, faces=3), angle(0), faces=2),
        sample(picture("ann", 1, faces=1), angle(0), faces=2),
        sample(picture("bob", 0, faces=1), None),
        sample(picture("", 0, faces=0), angle(0), faces=4),
        sample(picture("bob", 1), None),
    ]
    made = Samples(rows, 2)
    assert detection(made) == Detection(4, 5, 2, 1, 1, 4)
    assert made.people == ("ann", "bob")
    assert not made.is_searched[3]
    assert detection(samples({"ann": [angle(0)]})) is None
