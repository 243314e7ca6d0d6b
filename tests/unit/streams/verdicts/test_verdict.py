"""A verdict is tentative, confirmed, retracted, ended, and each change has its reason."""

import numpy as np
import pytest

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.match import decisions
from facewire_server.streams.verdicts import Verdict
from facewire_server.types import (
    Candidate,
    Decision,
    DecisionPolicy,
    Outcome,
    TrackReason,
    TrackState,
)

THRESHOLD = 0.45
FACE = np.eye(4, dtype=np.float32)[0]
OTHER_FACE = np.eye(4, dtype=np.float32)[1]

BEGAN = (TrackState.TENTATIVE, TrackReason.APPEARED, "")
CONFIRMED = (TrackState.CONFIRMED, TrackReason.EVIDENCE, "")


def known(similarity, identity_id="anna", revision=1):
    best = Candidate(identity_id, "", similarity, "t")
    return Decision(Outcome.KNOWN, best, 0.3, THRESHOLD, revision)


def unknown(similarity, identity_id="anna", revision=1):
    best = Candidate(identity_id, "", similarity, "t")
    return Decision(Outcome.UNKNOWN, best, 0.1, THRESHOLD, revision)


def ambiguous(*identity_ids, similarity=0.6, revision=1):
    between = tuple(Candidate(each, "", similarity, "t") for each in identity_ids)
    return Decision(
        Outcome.AMBIGUOUS, between[0], 0.0, THRESHOLD, revision, ambiguous_between=between
    )


NO_ONE = Decision(Outcome.UNKNOWN, None, 0.0, THRESHOLD, 1)
TOO_POOR = Decision(Outcome.TOO_POOR, None, 0.0, THRESHOLD, 1)


class Watched:
    """A verdict with the changes that it went through."""

    def __init__(self, verdict=None):
        self.verdict = verdict or Verdict()
        self.sequence = 0

    @property
    def name(self):
        identity = self.verdict.shown.identity
        return identity and identity.identity_id

    def look(self, at_s, decision, embedding=FACE):
        self.sequence += 1
        self.verdict.add_look(at_s, self.sequence, embedding, inter_eye_px=40.0)
        return self.search(at_s, decision)

    def search(self, at_s, decision):
        return [summary(change) for change in self.verdict.judge(at_s, decision)]


def summary(change):
    return change.state, change.reason, change.previous_identity_id


@pytest.fixture
def watched():
    return Watched()


@pytest.fixture
def named(watched):
    watched.look(0.0, known(0.7))
    return watched


def test_a_strong_look_names_at_once(watched) -> None:
    assert watched.look(0.0, known(0.56)) == [BEGAN, CONFIRMED]
    assert watched.name == "anna"
    assert watched.verdict.shown.look_count == 1


def test_a_weaker_one_needs_a_second(watched) -> None:
    assert watched.look(0.0, known(0.54)) == [BEGAN]
    assert watched.verdict.shown.outcome is Outcome.PENDING
    assert watched.look(0.4, known(0.5)) == [CONFIRMED]
    assert watched.verdict.shown.look_count == 2


def test_two_looks_that_are_too_close_count_as_one(watched) -> None:
    watched.look(0.0, known(0.5))
    assert watched.look(0.29, known(0.5)) == []
    assert watched.look(0.3, known(0.5)) == [CONFIRMED]


def test_a_person_is_unknown_after_three_looks_over_a_second(watched) -> None:
    assert watched.look(0.0, unknown(0.2)) == [BEGAN]
    assert watched.look(0.4, unknown(0.2)) == []
    assert watched.look(0.8, unknown(0.2)) == []
    assert watched.verdict.state is TrackState.TENTATIVE
    assert watched.look(1.2, unknown(0.2)) == [CONFIRMED]
    assert watched.verdict.shown.outcome is Outcome.UNKNOWN


def test_an_empty_gallery_knows_no_one(watched) -> None:
    seen = [watched.look(at_s, NO_ONE) for at_s in (0.0, 1.0, 2.0)]
    assert seen == [[BEGAN], [], [CONFIRMED]]


def test_near_the_threshold_five_looks_are_unknown(watched) -> None:
    seen = [watched.look(at_s, unknown(0.44)) for at_s in (0, 1, 2, 3, 4)]
    assert seen == [[BEGAN], [], [], [], [CONFIRMED]]


def test_two_that_share_a_face_are_ambiguous_after_a_while(watched) -> None:
    seen = [watched.look(at_s, ambiguous("anna", "ann")) for at_s in (0.0, 1.0, 2.0)]
    assert seen == [[BEGAN], [], [CONFIRMED]]
    assert watched.verdict.shown.outcome is Outcome.AMBIGUOUS


def test_a_name_stays_a_little_below_the_threshold(named) -> None:
    for at_s in range(2, 20, 2):
        assert named.look(at_s, unknown(0.4)) == []
    assert named.name == "anna"


def test_a_name_is_retracted_after_two_looks_that_speak_against_it(named) -> None:
    assert named.look(2.0, unknown(0.38)) == []
    assert named.verdict.wants_look(2.4, inter_eye_px=40.0), "doubt is settled soon"
    assert named.look(2.4, unknown(0.38)) == [
        (TrackState.RETRACTED, TrackReason.EVIDENCE, "anna"),
        CONFIRMED,
    ]
    assert named.verdict.shown.outcome is Outcome.UNKNOWN, "three looks over more than a second"


def passed_over(similarity, negative, revision=1):
    best = Candidate("anna", "", similarity, "t", negative)
    return Decision(Outcome.UNKNOWN, best, 0.1, THRESHOLD, revision, passed_over=best)


def test_a_negative_example_retracts_the_name_without_a_look(named) -> None:
    assert named.search(0.5, passed_over(0.7, 0.9, revision=2)) == [
        (TrackState.RETRACTED, TrackReason.GALLERY_CHANGED, "anna")
    ]


def test_also_if_the_face_is_only_a_little_nearer_to_the_new_example(named) -> None:
    assert named.search(0.5, passed_over(0.7, 0.71, revision=2)) == [
        (TrackState.RETRACTED, TrackReason.GALLERY_CHANGED, "anna")
    ]


def test_looks_that_are_a_little_nearer_to_an_example_keep_the_name(named) -> None:
    assert [named.look(at_s, passed_over(0.7, 0.75)) for at_s in (0.5, 1.0, 1.5)] == [[], [], []]
    assert named.name == "anna"


def beside_a_look_alike(similarity, revision=1, negative=None, look_alike=THRESHOLD + 0.1):
    """What a search finds if bo, whom the face resembles more, has a negative example that it resembles still more."""
    bo = Candidate("bo", "", look_alike, "t", 0.9)
    anna = Candidate("anna", "", similarity, "t", negative)
    ranked = tuple(sorted((bo, anna), key=lambda one: -one.similarity))
    policy = DecisionPolicy(THRESHOLD, min_margin=0.03, min_inter_eye_px=8.0)
    (decision,) = decisions(SearchResult(revision, (ranked,), 2), np.array([True]), policy)
    return decision


def test_a_name_stays_a_little_below_the_threshold_whoever_is_passed_over(named) -> None:
    for number, at_s in enumerate(range(2, 20, 2)):  # and the gallery is written
        decision = beside_a_look_alike(0.4, revision=number)
        assert decision.outcome is Outcome.UNKNOWN
        assert named.look(at_s, decision) == []
    assert named.name == "anna"


def test_or_is_below_the_threshold_and_nearer_to_a_negative_example(named) -> None:
    for at_s in range(2, 20, 2):
        decision = beside_a_look_alike(0.4, look_alike=0.44)
        assert decision.passed_over is None
        assert named.look(at_s, decision) == []
    assert named.name == "anna"


def test_so_it_does_below_a_negative_example_of_its_own(named) -> None:
    for at_s in range(2, 20, 2):
        assert named.look(at_s, beside_a_look_alike(0.5, negative=0.53)) == []
    assert named.name == "anna"
    (retracted, _) = named.search(20.0, beside_a_look_alike(0.5, revision=2, negative=0.53))
    assert retracted == (TrackState.RETRACTED, TrackReason.GALLERY_CHANGED, "anna")


def test_it_is_retracted_further_below_whoever_is_passed_over(named) -> None:
    assert named.look(2.0, beside_a_look_alike(0.38)) == []
    (retracted, *_) = named.look(2.4, beside_a_look_alike(0.38))
    assert retracted == (TrackState.RETRACTED, TrackReason.EVIDENCE, "anna")


def test_near_the_threshold_five_looks_are_unknown_whoever_is_passed_over(watched) -> None:
    seen = [watched.look(at_s, beside_a_look_alike(0.44)) for at_s in (0, 1, 2, 3, 4)]
    assert seen == [[BEGAN], [], [], [], [CONFIRMED]]


def test_the_margin_is_that_of_the_two_who_are_the_best_of_the_looks_own() -> None:
    watched = Watched()
    tilted = np.array([0.6, 0.8, 0, 0], np.float32)  # cosine .6 with FACE: cohesion .894
    watched.look(0.0, beside_a_look_alike(0.47), FACE)
    watched.look(0.4, beside_a_look_alike(0.47), tilted)
    last = watched.verdict.shown  # .420: anna does not reach the threshold; bo is passed over, .492
    assert last.best
    assert (last.best.identity_id, last.best) == ("bo", last.passed_over)
    assert last.margin == pytest.approx((0.55 - 0.47) * 0.8944, abs=1e-3)


def test_a_face_that_is_far_nearer_to_a_negative_example_is_unknown(watched) -> None:
    seen = [watched.look(at_s, passed_over(0.6, 0.9)) for at_s in (0.0, 0.5, 1.0)]
    assert seen == [[BEGAN], [], [CONFIRMED]]
    shown = watched.verdict.shown
    assert (shown.outcome, shown.identity) == (Outcome.UNKNOWN, None)
    assert shown.passed_over


def test_similarities_to_negative_examples_are_those_of_the_looks_own() -> None:
    watched = Watched()
    tilted = np.array([0.6, 0.8, 0, 0], np.float32)  # cosine .6 with FACE: cohesion .894
    watched.look(0.0, known(0.5), FACE)
    watched.look(0.4, passed_over(0.5, 0.6), tilted)
    last = watched.verdict.shown  # open: the last decision
    assert last.passed_over is None, ".447 does not reach the threshold"
    assert last.best
    assert last.best.negative_example_similarity == pytest.approx(0.6 * 0.8944, abs=1e-3)


def test_a_look_between_them_that_agrees_is_a_new_start(named) -> None:
    named.look(2.0, unknown(0.38))
    named.look(2.4, known(0.6))
    assert named.look(2.8, unknown(0.38)) == []


def test_another_name_retracts_at_once_and_must_be_earned(named) -> None:
    retracted = (TrackState.RETRACTED, TrackReason.EVIDENCE, "anna")
    assert named.look(2.0, known(0.5, "bert"), OTHER_FACE) == [retracted]
    assert named.look(2.4, known(0.5, "bert"), OTHER_FACE) == [CONFIRMED]


def test_a_deleted_person_is_retracted_without_a_look(named) -> None:
    assert named.search(0.5, unknown(0.44, "bert", revision=2)) == [
        (TrackState.RETRACTED, TrackReason.GALLERY_CHANGED, "anna")
    ]
    assert named.verdict.shown.identity is None


def test_a_person_who_is_enrolled_under_a_new_id_is_retracted_first(named) -> None:
    assert named.search(0.5, known(0.7, "anna-2", revision=2)) == [
        (TrackState.RETRACTED, TrackReason.GALLERY_CHANGED, "anna"),
        (TrackState.CONFIRMED, TrackReason.GALLERY_CHANGED, ""),
    ]


def test_a_change_of_others_retracts_no_one(named) -> None:
    assert named.search(0.5, known(0.7, revision=2)) == []
    assert named.verdict.shown.gallery_revision == 2


def test_a_face_that_is_held_shows_no_name_until_it_is_looked_at(named) -> None:
    named.verdict.hold()
    assert named.verdict.shown == Decision(Outcome.PENDING, None, 0.0, THRESHOLD, 1)
    assert named.verdict.wants_look(0.4, inter_eye_px=40.0)
    named.search(0.2, known(0.7, revision=2))
    assert named.verdict.shown.outcome is Outcome.PENDING, "a search with old looks is no look"
    assert named.look(0.4, known(0.7, revision=2)) == []
    assert named.name == "anna"


def test_nor_if_a_doubted_look_from_before_is_hers_after_a_write(named) -> None:
    named.look(0.4, unknown(0.1), OTHER_FACE)
    named.verdict.hold()
    assert named.search(0.5, known(0.7, revision=2)) == []
    assert named.verdict.shown.outcome is Outcome.PENDING
    assert named.look(0.8, known(0.7, revision=2)) == []
    assert named.name == "anna"


def test_nor_if_a_write_retracts_and_another_one_would_name_it(named) -> None:
    named.look(0.4, unknown(0.1), OTHER_FACE)
    named.verdict.hold()
    ((state, *_),) = named.search(0.5, unknown(0.1, revision=2))
    assert state is TrackState.RETRACTED
    assert named.search(0.6, known(0.7, "bert", revision=3)) == []
    assert not named.name
    assert named.look(0.8, known(0.7, "bert", revision=3), OTHER_FACE) == [CONFIRMED]


def test_another_face_in_a_held_track_does_not_get_its_name(named) -> None:
    named.verdict.hold()
    assert named.look(0.4, unknown(0.1), OTHER_FACE) == []
    assert named.verdict.shown.outcome is Outcome.PENDING
    assert named.verdict.probe @ OTHER_FACE == pytest.approx(1.0), "its looks are not mixed"
    assert named.look(0.8, unknown(0.1), OTHER_FACE) == [
        (TrackState.RETRACTED, TrackReason.SWAPPED, "anna")
    ]


def test_a_face_that_is_always_too_poor_says_so(watched) -> None:
    assert watched.search(0.0, TOO_POOR) == [BEGAN]
    assert watched.verdict.shown.outcome is Outcome.TOO_POOR
    ended = watched.verdict.end(TrackReason.LOST)
    assert (ended.state, ended.decision.outcome) == (TrackState.ENDED, Outcome.TOO_POOR)


def test_a_poor_moment_changes_no_name(named) -> None:
    assert named.search(1.0, TOO_POOR) == []
    assert named.name == "anna"


def test_a_person_of_one_frame_ends_with_the_decision_of_that_frame(watched) -> None:
    watched.look(0.0, known(0.46))
    ended = watched.verdict.end(TrackReason.STREAM_ENDED)
    assert summary(ended) == (TrackState.ENDED, TrackReason.STREAM_ENDED, "")
    assert (ended.decision.outcome, ended.decision.look_count) == (Outcome.KNOWN, 1)


def test_a_name_that_is_held_back_at_the_end_is_not_the_last_decision(named) -> None:
    named.verdict.hold()
    ended = named.verdict.end(TrackReason.LOST)
    assert ended.decision == named.verdict.shown
    assert (ended.decision.outcome, ended.decision.best) == (Outcome.PENDING, None)


def test_nor_is_the_name_of_a_single_look_before(watched) -> None:
    watched.look(0.0, known(0.46))
    watched.verdict.hold()
    ended = watched.verdict.end(TrackReason.LOST)
    assert (ended.decision.outcome, ended.decision.best) == (Outcome.PENDING, None)


def test_a_resumed_track_that_is_not_seen_again_ends_without_its_name() -> None:
    ended = Verdict.restored(known(0.7)).end(TrackReason.LOST)
    assert ended is not None
    assert (ended.decision.outcome, ended.decision.best) == (Outcome.PENDING, None)


def test_an_ended_verdict_takes_nothing(named) -> None:
    named.verdict.end(TrackReason.LOST)
    for use in (
        lambda: named.look(1.0, known(0.7)),
        lambda: named.search(1.0, known(0.7)),
        named.verdict.hold,
        lambda: named.verdict.end(TrackReason.LOST),
    ):
        with pytest.raises(RuntimeError, match="ended"):
            use()


def test_a_verdict_that_never_began_ends_in_silence() -> None:
    assert Verdict().end(TrackReason.LOST) is None


def test_a_resumed_name_is_shown_after_a_look_that_agrees() -> None:
    resumed = Watched(Verdict.restored(known(0.7)))
    assert resumed.verdict.shown.outcome is Outcome.PENDING
    assert resumed.look(9.0, known(0.5)) == []
    assert resumed.name == "anna"


def test_a_resumed_name_must_be_reached_again_not_only_kept() -> None:
    resumed = Watched(Verdict.restored(known(0.7)))
    assert resumed.look(9.0, unknown(0.41)) == []
    assert resumed.name is None
    assert resumed.look(9.4, unknown(0.41)) == [(TrackState.RETRACTED, TrackReason.SWAPPED, "anna")]


def test_a_name_that_was_held_back_is_no_nearer_to_a_face_that_does_not_resemble(named) -> None:
    named.verdict.hold()
    assert named.look(0.4, unknown(0.41), OTHER_FACE) == []
    assert named.name is None
    assert named.look(0.8, known(0.46), OTHER_FACE) == []
    assert named.name == "anna"


def test_a_resumed_name_without_a_probe_can_be_revoked() -> None:
    resumed = Verdict.restored(known(0.7))
    assert summary(resumed.revoke()) == (
        TrackState.RETRACTED,
        TrackReason.GALLERY_CHANGED,
        "anna",
    )
    assert resumed.revoke() is None


def test_looks_are_wanted_often_while_it_is_open_and_seldom_after(watched) -> None:
    assert watched.verdict.wants_look(0.0, inter_eye_px=40.0)
    watched.look(0.0, known(0.5))
    assert not watched.verdict.wants_look(0.3, inter_eye_px=40.0)
    assert watched.verdict.wants_look(0.4, inter_eye_px=40.0)
    watched.look(0.4, known(0.5))
    assert not watched.verdict.wants_look(2.3, inter_eye_px=40.0)
    assert watched.verdict.wants_look(0.8, inter_eye_px=60.0), "it is much larger now"
    assert watched.verdict.wants_look(2.4, inter_eye_px=40.0)


def test_looks_from_before_a_hold_are_not_mixed_with_those_of_another_person(watched) -> None:
    watched.look(0.0, known(0.5))
    watched.verdict.hold()
    watched.look(0.4, unknown(0.1), OTHER_FACE)
    assert watched.verdict.probe @ OTHER_FACE == pytest.approx(1.0)
    assert watched.verdict.shown.look_count == 1


def test_a_look_that_resembles_those_before_ends_a_hold(named) -> None:
    named.verdict.hold()
    named.look(0.4, unknown(0.41))
    assert named.name == "anna", "it lies no further below the threshold than a name may"


def test_one_of_two_who_share_a_face_is_deleted(watched) -> None:
    for at_s in (0.0, 1.0, 2.0):
        watched.look(at_s, ambiguous("anna", "ann"))
    assert watched.search(2.1, known(0.6, revision=2)) == [
        (TrackState.RETRACTED, TrackReason.GALLERY_CHANGED, ""),
        (TrackState.CONFIRMED, TrackReason.GALLERY_CHANGED, ""),
    ]
    assert watched.name == "anna"


def test_one_of_two_who_share_a_face_is_replaced_by_a_third(watched) -> None:
    for at_s in (0.0, 1.0, 2.0):
        watched.look(at_s, ambiguous("anna", "ann"))
    assert watched.search(2.1, ambiguous("anna", "hannah", revision=2)) == [
        (TrackState.RETRACTED, TrackReason.GALLERY_CHANGED, ""),
        (TrackState.CONFIRMED, TrackReason.GALLERY_CHANGED, ""),
    ]


def test_a_second_identity_with_the_same_face_takes_the_name_away(named) -> None:
    retracted = (TrackState.RETRACTED, TrackReason.GALLERY_CHANGED, "anna")
    assert named.search(0.5, ambiguous("anna", "ann", revision=2)) == [retracted]


def test_an_unknown_person_needs_more_for_a_name_than_a_new_one(watched) -> None:
    for at_s in (0.0, 1.0, 2.0):
        watched.look(at_s, unknown(0.2))
    assert watched.look(4.0, known(0.49)) == []
    assert watched.look(6.0, ambiguous("anna", "ann", similarity=0.49)) == []
    assert watched.verdict.shown.outcome is Outcome.UNKNOWN
    assert watched.look(8.0, known(0.51)) == [CONFIRMED]


def test_who_is_enrolled_while_in_view_is_named_without_a_retraction(watched) -> None:
    for at_s in (0.0, 1.0, 2.0):
        watched.look(at_s, unknown(0.2))
    assert watched.search(2.1, known(0.46, revision=2)) == [
        (TrackState.CONFIRMED, TrackReason.GALLERY_CHANGED, "")
    ]


@pytest.mark.parametrize(
    ("similarities", "points"),
    [
        ((0.5,), {0.0, 0.10}),
        ((0.5, 0.5), {0.0, -0.06}),
        ((0.41, 0.41, 0.41), {0.0, -0.06}),
        ((0.2, 0.2, 0.2), {0.0, 0.05}),
    ],
    ids=["one look", "a name", "just below the threshold", "unknown"],
)
def test_it_says_at_which_similarities_it_decides_otherwise(watched, similarities, points) -> None:
    for number, similarity in enumerate(similarities):
        decide = known if similarity >= THRESHOLD else unknown
        watched.look(0.6 * number, decide(similarity))
    assert set(watched.verdict.turning_points()) == points
