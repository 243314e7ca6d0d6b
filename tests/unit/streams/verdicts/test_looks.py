"""Looks count if they are apart in time; their mean is searched, and judged by the mean of their similarities."""

import numpy as np
import pytest

from facewire_server.streams.verdicts import Verdict
from facewire_server.streams.verdicts.looks import Look, Looks
from facewire_server.streams.verdicts.rule import of_looks
from facewire_server.types import Candidate, Decision, Outcome

THRESHOLD = 0.5


def unit(*values):
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def looks_at(*embeddings, gap_s=0.3):
    looks = Looks()
    for number, embedding in enumerate(embeddings, 1):
        looks.add(Look(number * gap_s, number, embedding, 30.0))
    return looks


def decided(outcome, *similarities):
    found = tuple(Candidate(f"{at}", "", each, "") for at, each in enumerate(similarities))
    between = found[:2] if outcome is Outcome.AMBIGUOUS else ()
    margin = similarities[0] - similarities[1]
    return Decision(outcome, found[0], margin, THRESHOLD, 1, found, ambiguous_between=between)


def similarity_of(decision):
    assert decision.best
    return decision.best.similarity


def test_the_newest_five_are_kept() -> None:
    looks = looks_at(*(unit(1, at) for at in range(8)))
    assert len(looks) == 5
    assert looks.newest.sequence == 8
    assert looks.span_s == pytest.approx(1.2)


def test_an_exact_embedding_takes_the_place_of_a_look_and_frees_its_crop() -> None:
    crop = np.zeros((112, 112, 3), np.uint8)
    looks = looks_at(unit(1, 0))
    looks.add(Look(1.0, 7, unit(1, 0), 30.0, crop))
    (inexact,) = looks.inexact
    assert inexact.crop is crop
    looks.put_exact(inexact, unit(0, 1))
    assert looks.inexact == ()
    assert len(looks) == 2
    assert looks.mean() == pytest.approx(unit(1, 1))


def test_frame_times_that_add_up_in_floating_point_are_apart() -> None:
    looks = looks_at(unit(1, 0), unit(1, 0), unit(1, 0), gap_s=0.1 + 0.1 + 0.1 - 1e-9)
    assert len(looks) == 3


def test_a_time_that_stands_still_counts_once() -> None:
    assert len(looks_at(unit(1, 0), unit(1, 0), unit(1, 0), gap_s=0.0)) == 1


def test_looks_that_cancel_each_other_have_a_mean() -> None:
    assert looks_at(unit(1, 0), unit(-1, 0)).mean() == pytest.approx(unit(-1, 0))


def test_the_similarity_is_the_mean_of_the_looks_own() -> None:
    template = unit(1, 0.2, 0.1)
    views = [unit(1, 0, 1), unit(1, 1, 0), unit(1, 0, -0.5)]
    looks = looks_at(*views)
    own = [float(view @ template) for view in views]
    fused = float(looks.mean() @ template)
    assert fused > np.mean(own) + 0.05, "the noise of the looks is gone from their mean"
    decision = of_looks(decided(Outcome.KNOWN, fused, 0.1), looks)
    assert similarity_of(decision) == pytest.approx(np.mean(own), abs=1e-6)
    assert decision.look_count == 3


def test_a_single_look_is_judged_as_it_is() -> None:
    decision = decided(Outcome.KNOWN, THRESHOLD, 0.1)
    assert of_looks(decision, looks_at(unit(0.3, 0.7))).best == decision.best


def test_a_name_that_only_the_mean_direction_reaches_is_none() -> None:
    looks = looks_at(unit(1, 1), unit(1, -1))  # their mean is .71 long
    decision = of_looks(decided(Outcome.KNOWN, 0.6, 0.3), looks)
    assert decision.outcome is Outcome.UNKNOWN
    assert similarity_of(decision) == pytest.approx(0.6 / 2**0.5)
    assert decision.margin == pytest.approx(0.3 / 2**0.5)


def test_a_runner_up_that_only_the_mean_direction_reaches_is_none() -> None:
    looks = looks_at(unit(1, 0.4), unit(1, -0.4))  # .93 long
    for runner_up, outcome in ((0.53, Outcome.KNOWN), (0.55, Outcome.AMBIGUOUS)):
        decision = of_looks(decided(Outcome.AMBIGUOUS, 0.55, runner_up), looks)
        assert decision.outcome is outcome
        assert len(decision.ambiguous_between) == (2 if outcome is Outcome.AMBIGUOUS else 0)


def test_candidates_have_the_similarities_by_which_is_decided() -> None:
    verdict = Verdict()
    for number, view in enumerate((unit(1, 1), unit(1, -1)), 1):
        verdict.add_look(float(number), number, view, inter_eye_px=30.0)
    found = decided(Outcome.KNOWN, 0.6, 0.3).candidates
    own = verdict.own_similarities(found)
    assert [each.similarity for each in own] == pytest.approx([0.6 / 2**0.5, 0.3 / 2**0.5])
    verdict.judge(2.0, decided(Outcome.KNOWN, 0.6, 0.3))
    assert similarity_of(verdict.shown) == own[0].similarity
