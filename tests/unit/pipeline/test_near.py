"""A decision that is not near stays the same however the similarities change within the error."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.match import decisions
from facewire_server.pipeline.near import is_near
from facewire_server.streams.verdicts.looks import Look, Looks
from facewire_server.streams.verdicts.rule import Stance, stance, turning_points
from facewire_server.types import Candidate, Decision, DecisionPolicy, Outcome

ERROR = 0.02


def policy(min_margin: float) -> DecisionPolicy:
    return DecisionPolicy(threshold=0.42, min_margin=min_margin, min_inter_eye_px=8.0)


def candidates(similarities: dict[str, float]) -> tuple[Candidate, ...]:
    """The two best, as a search returns them."""
    ranked = sorted(similarities.items(), key=lambda one: -one[1])[:2]
    return tuple(Candidate(name, name, similarity, "t") for name, similarity in ranked)


def decide(similarities: dict[str, float], by: DecisionPolicy) -> Decision:
    found = SearchResult(1, (candidates(similarities),), len(similarities))
    (decision,) = decisions(found, np.array([True]), by)
    return decision


def concluded(decision: Decision) -> tuple[object, ...]:
    identity = decision.identity
    between = frozenset(each.identity_id for each in decision.ambiguous_between)
    return decision.outcome, identity and identity.identity_id, between


def near(similarities: dict[str, float], by: DecisionPolicy, error: float = ERROR) -> bool:
    return is_near(decide(similarities, by), candidates(similarities), by, error)


@pytest.mark.parametrize("min_margin", [0.0, 0.03])
def test_no_change_within_the_error_changes_a_decision_that_is_not_near(min_margin: float) -> None:
    by = policy(min_margin)
    draw = random.Random(10)
    steady = 0
    for _ in range(3000):
        before = {name: draw.uniform(0.3, 0.6) for name in "abc"}
        if near(before, by):
            continue
        steady += 1
        # What is most unlike the similarities before: each at one end of its interval.
        for signs in itertools.product((-1, 1), repeat=3):
            after = {
                name: one + sign * ERROR * 0.999
                for (name, one), sign in zip(before.items(), signs, strict=True)
            }
            assert concluded(decide(after, by)) == concluded(decide(before, by)), (before, after)
    assert steady > 500, "or nothing was tested"


def with_negatives(scores: dict[str, tuple[float, float]]) -> tuple[Candidate, ...]:
    """The two best that are not nearer to a negative example, and those between, as a search returns them."""
    ranked = sorted(scores.items(), key=lambda one: -one[1][0])
    found: list[Candidate] = []
    for name, (similarity, negative) in ranked:
        found.append(Candidate(name, name, similarity, "t", negative))
        if sum(not one.is_nearer_to_negative_example for one in found) == 2:
            break
    return tuple(found)


def decide_among(found: tuple[Candidate, ...], by: DecisionPolicy) -> Decision:
    (decision,) = decisions(SearchResult(1, (found,), 3), np.array([True]), by)
    return decision


def test_nor_does_it_change_a_decision_with_negative_examples_that_is_not_near() -> None:
    by, draw, steady, passed_over = policy(0.03), random.Random(11), 0, 0
    for _ in range(4000):
        before = {name: (draw.uniform(0.3, 0.6), draw.uniform(0.3, 0.6)) for name in "ab"}
        found = with_negatives(before)
        decided = decide_among(found, by)
        if is_near(decided, found, by, ERROR):
            continue
        steady, passed_over = steady + 1, passed_over + bool(decided.passed_over)
        for signs in itertools.product((-1, 1), repeat=4):
            after = {
                name: (own + signs[row] * ERROR * 0.999, negative + signs[row + 2] * ERROR * 0.999)
                for row, (name, (own, negative)) in enumerate(before.items())
            }
            assert concluded(decide_among(with_negatives(after), by)) == concluded(decided)
    assert min(steady, passed_over) > 300, "or nothing was tested"


DOUBT = 0.06
STANDING = Decision(Outcome.KNOWN, Candidate("a", "a", 0.6, "t"), 0.3, 0.42, 1)


def points() -> tuple[float, ...]:
    looks = Looks()
    looks.add(Look(0.0, 1, np.eye(4, dtype=np.float32)[0], 40.0))
    return turning_points(STANDING, looks)


def stances(decision: Decision) -> tuple[Stance, ...]:
    """What it says about the standing name: as the last one before, and after a write."""
    return tuple(
        stance(STANDING, decision, replace(STANDING, gallery_revision=revision))
        for revision in (1, 2)
    )


@pytest.mark.parametrize("error", [0.005, ERROR])
def test_no_change_within_the_error_changes_what_a_decision_says_about_a_name(error: float) -> None:
    by, draw, steady, doubted = policy(0.03), random.Random(12), 0, 0
    for _ in range(6000):
        before = {name: (draw.uniform(0.3, 0.5), draw.uniform(0.3, 0.5)) for name in "ab"}
        found = with_negatives(before)
        decided = decide_among(found, by)
        if any(is_near(decided, found, by, error, above=above) for above in points()):
            continue
        said = stances(decided)
        steady += 1
        doubted += decided.outcome is Outcome.UNKNOWN and said[0] is Stance.FOR
        for signs in itertools.product((-1, 1), repeat=4):
            after = {
                name: (own + signs[row] * error * 0.999, negative + signs[row + 2] * error * 0.999)
                for row, (name, (own, negative)) in enumerate(before.items())
            }
            assert stances(decide_among(with_negatives(after), by)) == said, (before, after)
    assert steady > 300, "or nothing was tested"
    assert doubted > 20, "or no name lay in doubt"


def test_a_name_turns_as_far_below_a_negative_example_as_below_the_threshold() -> None:
    by, error = policy(0.03), 0.01
    for below, is_it in ((0.055, True), (0.065, True), (0.030, False), (0.090, False)):
        found = (Candidate("a", "a", 0.55, "t", 0.55 + below),)
        decided = decide_among(found, by)
        assert is_near(decided, found, by, error, above=-DOUBT) is is_it
        assert not is_near(decided, found, by, error), "of a single look it is certain"
        is_kept = below < DOUBT
        assert (stances(decided)[0] is Stance.FOR) is is_kept


@pytest.mark.parametrize(
    ("similarities", "is_it"),
    [
        ((0.39,), False),
        ((0.405,), True),
        ((0.435,), True),
        ((0.45,), False),
        ((0.60, 0.39), False),
        ((0.60, 0.54), True),  # margin .06, of which .04 may be the error of the two
        ((0.60, 0.52), False),
        ((0.60, 0.59), True),  # AMBIGUOUS
        ((), False),
    ],
)
def test_near_is_what_lies_within_the_error_of_threshold_or_margin(
    similarities: tuple[float, ...], is_it: bool
) -> None:
    named = dict(zip("abc", similarities, strict=False))
    assert near(named, policy(0.03)) is is_it
    assert not near(named, policy(0.03), error=0.0), "an exact decision is near to nothing"
