"""A tracker follows people, and holds a name back until an embedding of the face agrees."""

from itertools import count

import numpy as np
import pytest

from facewire_server.streams.tracks import Seen, Tracker
from fakes.tracked_people import SIDE_PX, Camera, embedding_of, faces_at

ANN, BEN, CAT = 0, 1, 2


def ids(seen: Seen) -> list[int]:
    return [row.track_id for row in seen.rows]


def sure(seen: Seen) -> list[bool]:
    return [row.is_sure for row in seen.rows]


def test_a_calm_face_is_embedded_once() -> None:
    camera = Camera()
    for frame in range(300):
        seen = camera.show(frame / 10, [(ANN, 100.0 + 10 * np.sin(frame / 10))])
        assert (ids(seen), sure(seen)) == ([1], [True])
    assert camera.asked == 1


def test_a_face_that_is_too_poor_is_never_sure() -> None:
    camera = Camera()
    for frame in range(30):
        seen = camera.show(frame / 10, [(ANN, 100.0)], poor=[ANN])
        assert (ids(seen), sure(seen)) == ([1], [False])


def test_two_people_who_cross_keep_their_tracks() -> None:
    camera = Camera()
    for frame in range(60):
        people = [(ANN, 100.0 + 20 * frame), (BEN, 1300.0 - 20 * frame)]
        if abs(people[0][1] - people[1][1]) < 50:
            people = people[:1]  # Ben is hidden
        seen = camera.show(frame / 10, people)
        for (person, _), row in zip(people, seen.rows, strict=True):
            assert row.track_id == person + 1
    assert camera.asked <= 0.2 * 118


def test_after_a_cut_another_person_in_the_same_place_is_another_track() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    camera.tracker.cut()
    assert camera.tracker.windows(0.1)[0].tolist() == []
    seen = camera.show(0.1, [(BEN, 100.0)])
    assert ids(seen) == [2]
    assert seen.lost == (1,)


def test_after_a_cut_a_face_too_poor_to_embed_continues_nothing() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    camera.tracker.cut()
    seen = camera.show(0.1, [(ANN, 100.0)], poor=[ANN])
    assert (ids(seen), sure(seen)) == ([2], [False])


def test_who_comes_back_within_a_minute_is_on_the_same_visit() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    assert camera.tracker.expire(2.1) == (1,)
    seen = camera.show(59.0, [(BEN, 100.0), (ANN, 500.0)])
    assert [(row.track_id, row.visit_id) for row in seen.rows] == [(2, 2), (3, 1)]


def test_who_comes_back_later_is_on_another_visit() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    seen = camera.show(60.1, [(ANN, 100.0)])
    assert [(row.track_id, row.visit_id) for row in seen.rows] == [(2, 2)]
    assert seen.ended == (1,)


@pytest.mark.parametrize(
    ("fps", "steps"), [(5, (0.0, 1.0, 2.0)), (5, (0.0, 1.5, 3.0)), (10, (0.0, 0.5, 1.0, 1.5, 2.0))]
)
def test_two_people_who_meet_and_turn_back_keep_their_tracks(
    fps: float, steps: tuple[float, ...]
) -> None:
    """By motion alone each would be where the other one is."""
    camera = Camera()
    meeting = 2 * steps[-1] + steps[1]
    for frame, step in enumerate([*steps, *reversed(steps)]):
        people = [(ANN, step * SIDE_PX), (BEN, (meeting - step) * SIDE_PX)]
        seen = camera.show(frame / fps, people)
        assert (ids(seen), sure(seen)) == ([1, 2], [True, True])


def test_two_faces_that_touch_without_embeddings_are_held_back() -> None:
    camera = Camera()
    for frame in range(3):
        camera.show(frame / 10, [(ANN, 100.0), (BEN, 300.0)])
    seen = camera.show(0.3, [(ANN, 180.0), (BEN, 220.0)], poor=[ANN, BEN])
    assert sure(seen) == [False, False]
    seen = camera.show(0.4, [(ANN, 100.0), (BEN, 300.0)], poor=[ANN, BEN])
    assert sure(seen) == [False, False], "no embedding has agreed since"
    for frame in range(5, 9):
        seen = camera.show(frame / 10, [(ANN, 100.0), (BEN, 300.0)])
    assert (ids(seen), sure(seen)) == ([1, 2], [True, True])


def test_who_changed_places_while_touching_gets_the_tracks_back() -> None:
    camera = Camera()
    for frame in range(3):
        camera.show(frame / 10, [(ANN, 100.0), (BEN, 300.0)])
    camera.show(0.3, [(BEN, 190.0), (ANN, 210.0)], poor=[ANN, BEN])
    for frame in range(4, 9):
        seen = camera.show(frame / 10, [(BEN, 100.0), (ANN, 300.0)])
        assert not sure(seen)[0] or ids(seen) == [2, 1]
    assert (ids(seen), sure(seen)) == ([2, 1], [True, True])


def test_a_face_that_was_hidden_beside_another_is_embedded_when_it_is_back() -> None:
    camera = Camera()
    for frame in range(5):
        camera.show(frame / 30, [(ANN, 100.0), (BEN, 220.0)])
    camera.show(5 / 30, [(ANN, 100.0)])
    assert not any(camera.asks), "Ann's face is calm, and was embedded a moment ago"
    seen = camera.show(6 / 30, [(ANN, 100.0), (BEN, 220.0)], poor=[BEN])
    assert camera.asks == [False, True]
    assert sure(seen) == [True, False]


def test_a_lone_face_that_someone_passed_while_it_was_missed_is_embedded() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    camera.show(1 / 30, [(CAT, 200.0)], poor=[CAT])
    camera.show(2 / 30, [(CAT, 260.0)], poor=[CAT])
    seen = camera.show(3 / 30, [(BEN, 100.0), (CAT, 320.0)], poor=[BEN, CAT])
    assert camera.asks[0]
    assert sure(seen)[0] is False


def test_who_stands_before_a_hidden_face_is_embedded_again_and_again() -> None:
    """The detector may find the other one at any time, in almost the same place."""
    camera = Camera()
    for frame in range(30):
        camera.show(frame / 30, [(ANN, 100.0), (BEN, 160.0)])
    before = camera.asked
    for frame in range(30, 60):
        seen = camera.show(frame / 30, [(ANN, 100.0)])
        assert sure(seen) == [True]
    assert 3 <= camera.asked - before <= 8
    seen = camera.show(2.0, [(BEN, 115.0)], poor=[BEN])
    assert sure(seen) == [False]


def test_a_lone_face_that_is_missed_for_a_moment_is_not_embedded_again() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    assert camera.show(0.1, []).lost == (1,)
    seen = camera.show(0.2, [(ANN, 110.0)])
    assert (ids(seen), sure(seen), camera.asked) == ([1], [True], 1)


@pytest.mark.parametrize(("at_s", "x"), [(0.5, 100.0), (0.1, 150.0)], ids=["gap", "jump"])
def test_after_a_gap_or_a_jump_a_name_is_held_back(at_s: float, x: float) -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    seen = camera.show(at_s, [(ANN, x)], poor=[ANN])
    assert camera.asks == [True]
    assert (ids(seen), sure(seen)) == ([1], [False])
    seen = camera.show(at_s + 0.21, [(ANN, x)])
    assert (ids(seen), sure(seen)) == ([1], [True])


@pytest.mark.parametrize(("at_s", "x"), [(0.5, 100.0), (0.1, 150.0)], ids=["gap", "jump"])
def test_another_person_after_a_gap_or_a_jump_is_another_track(at_s: float, x: float) -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    seen = camera.show(at_s, [(BEN, x)])
    assert (ids(seen), seen.lost) == ([2], (1,))


def test_a_look_that_contradicts_splits_a_track() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    assert ids(camera.show(0.1, [(BEN, 100.0)])) == [1], "a swap that no one can see in places"
    seen = camera.show(0.2, [(BEN, 100.0)], looks=[0])
    assert (ids(seen), sure(seen), seen.lost) == ([2], [True], (1,))


def test_two_looks_that_contradict_change_the_tracks_over() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0), (BEN, 500.0)])
    seen = camera.show(0.1, [(BEN, 100.0), (ANN, 500.0)], looks=[0, 1])
    assert (ids(seen), sure(seen)) == ([2, 1], [True, True])


def test_a_look_that_claims_the_track_of_an_unseen_face_puts_it_in_doubt() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0), (BEN, 500.0)])
    seen = camera.show(0.1, [(BEN, 100.0), (ANN, 500.0)], looks=[0])
    assert ids(seen) == [3, 2]
    assert sure(seen) == [True, False]


def test_people_who_look_alike_are_held_back_while_the_other_may_be_there() -> None:
    camera = Camera()
    ann, twin = embedding_of(ANN), (embedding_of(ANN) * 0.98 + embedding_of(BEN) * 0.2)
    for at_s, known in ((0.0, {0: ann, 1: twin}), (0.1, {0: ann, 1: twin})):
        proposal = camera.tracker.propose(
            at_s, faces_at([(100.0, 0.0), (400.0, 0.0)]), is_search=True
        )
        camera.tracker.update(proposal, known)
    camera.tracker.cut()
    proposal = camera.tracker.propose(0.2, faces_at([(100.0, 0.0)]), is_search=True)
    assert sure(camera.tracker.update(proposal, {0: ann})) == [False]


def test_someone_between_yes_and_no_gets_a_track_that_can_have_a_name() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    between = 0.4 * embedding_of(ANN) + np.sqrt(1 - 0.4**2) * embedding_of(BEN)
    seen_ids = []
    for frame in range(1, 30):
        proposal = camera.tracker.propose(
            0.5 + frame / 10, faces_at([(100.0, 50.0)]), is_search=True
        )
        (row,) = camera.tracker.update(proposal, {0: between} if proposal.ask[0] else {}).rows
        assert row.is_sure is (row.track_id == 2)
        seen_ids.append(row.track_id)
    assert seen_ids[0] == 1
    assert seen_ids[-1] == 2


def test_two_windows_that_converged_are_one_face() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0), (BEN, 160.0)])
    faces = faces_at([(140.0, 50.0), (142.0, 50.0)])
    proposal = camera.tracker.propose(0.1, faces, is_search=False)
    assert proposal.is_double.tolist() == [False, True]
    assert proposal.ask.tolist() == [True, False]
    seen = camera.tracker.update(proposal, {0: embedding_of(BEN)})
    assert (ids(seen), seen.lost) == ([2, 2], (1,))


def test_a_search_finds_two_faces_that_overlap() -> None:
    camera = Camera()
    seen = camera.show(0.0, [(ANN, 100.0), (BEN, 120.0)])
    assert ids(seen) == [1, 2]


@pytest.mark.parametrize(("step_s", "unseen"), [(0.1, 19), (0.5, 4), (1.0, 3), (2.0, 3)])
def test_a_track_ends_after_two_seconds_or_three_frames(step_s: float, unseen: int) -> None:
    camera = Camera()
    for frame in range(5):
        camera.show(frame * step_s, [(ANN, 100.0)])
    for frame in range(5, 5 + unseen):
        seen = camera.show(frame * step_s, [])
        assert (seen.lost, seen.ended) == ((1,), ())
    seen = camera.show((5 + unseen) * step_s, [])
    assert (seen.lost, seen.ended) == ((), (1,))


def test_an_end_is_reported_once_by_whichever_call_comes_first() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    proposal = camera.tracker.propose(0.1, faces_at([]), is_search=True)
    assert camera.tracker.expire(2.5) == (1,)
    assert camera.tracker.update(proposal, {}).ended == ()
    camera.show(3.0, [(BEN, 100.0)])
    assert camera.tracker.end_all() == (2,)
    assert camera.tracker.end_all() == ()


def test_a_track_that_ended_between_the_two_calls_of_a_frame_is_not_continued() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    proposal = camera.tracker.propose(0.1, faces_at([(100.0, 50.0)]), is_search=True)
    assert camera.tracker.expire(2.5) == (1,)
    seen = camera.tracker.update(proposal, {})
    assert (ids(seen), sure(seen)) == ([2], [False])


def test_a_frame_that_was_only_proposed_changes_nothing() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    old = camera.tracker.propose(0.1, faces_at([(300.0, 50.0)]), is_search=True)
    seen = camera.show(0.2, [(ANN, 100.0)])
    assert (ids(seen), sure(seen)) == ([1], [True])
    with pytest.raises(ValueError, match="not the last proposal"):
        camera.tracker.update(old, {})


def test_windows_are_where_the_faces_will_be() -> None:
    camera = Camera()
    for frame in range(10):
        camera.show(frame / 10, [(ANN, 100.0 + 10 * frame), (BEN, 600.0)])
    track_ids, boxes = camera.tracker.windows(1.0)
    assert track_ids.tolist() == [1, 2]
    assert boxes == pytest.approx(np.array([[200, 50, 300, 150], [600, 50, 700, 150]]), abs=3)
    assert boxes.dtype == np.float32
    camera.show(1.0, [(BEN, 600.0)])
    assert camera.tracker.windows(1.1)[0].tolist() == [2], "who was lost must be searched for"


def test_a_resumed_track_goes_on_and_is_sure_when_it_was_embedded_again() -> None:
    camera = Camera()
    for frame in range(5):
        camera.show(frame / 10, [(ANN, 100.0), (BEN, 500.0)])
    records = camera.tracker.state(0.5)
    assert not any(isinstance(value, np.ndarray) for record in records for value in record)
    ids_after = count(10)
    resumed = Camera(Tracker(lambda: next(ids_after)))
    resumed.tracker.restore(records, 7000.0)
    assert len(resumed.tracker.windows(7000.0)[0]) == 0
    seen = resumed.show(7000.0, [(ANN, 100.0), (BEN, 500.0)], poor=[BEN])
    assert [(row.track_id, row.visit_id) for row in seen.rows] == [(1, 1), (2, 2)]
    assert sure(seen) == [True, False]
    assert resumed.asks == [True, True]


def test_a_resumed_track_that_is_not_found_ends() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    resumed = Camera()
    resumed.tracker.restore(camera.tracker.state(0.5), 100.0)
    assert resumed.tracker.expire(101.4) == ()
    assert resumed.tracker.expire(101.6) == (1,)


def test_a_visit_is_recognized_when_a_poor_face_gets_better() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    assert camera.tracker.expire(3.0) == (1,)
    seen = camera.show(10.0, [(ANN, 300.0)], poor=[ANN])
    assert [(row.track_id, row.visit_id) for row in seen.rows] == [(2, 2)]
    seen = camera.show(10.21, [(ANN, 300.0)])
    assert [(row.track_id, row.visit_id) for row in seen.rows] == [(2, 1)]


def test_a_place_is_no_reason_for_the_same_visit() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 100.0)])
    camera.tracker.expire(3.0)
    seen = camera.show(3.1, [(BEN, 100.0)])
    assert [(row.track_id, row.visit_id) for row in seen.rows] == [(2, 2)]


def test_a_poor_face_is_not_asked_for_in_every_frame() -> None:
    camera = Camera()
    for frame in range(31):
        camera.show(frame / 30, [(ANN, 100.0)], poor=[ANN])
    assert camera.asked <= 6


def test_thousands_of_short_tracks_are_bounded() -> None:
    tracker, rng = Tracker(count(1).__next__), np.random.default_rng(0)
    for frame in range(20):
        places = [(float(x), float(y)) for x, y in rng.uniform(0, 1e6, (256, 2))]
        proposal = tracker.propose(frame / 30, faces_at(places), is_search=True)
        seen = tracker.update(proposal, {row: embedding_of(row % 64) for row in range(0, 256, 16)})
        assert len(seen.rows) + len(seen.lost) <= 512


def test_a_doubted_face_is_asked_for_though_its_place_leaves_no_choice() -> None:
    camera = Camera()
    camera.show(0.0, [(ANN, 0)])
    (track,) = ids(camera.show(0.1, [(ANN, 0)]))
    assert camera.asks == [False]

    doubt = np.array([True])
    proposal = camera.tracker.doubt(
        camera.tracker.propose(0.2, faces_at([(0.0, 50.0)]), is_search=False), doubt
    )
    assert proposal.ask.tolist() == [True]
    (held,) = camera.tracker.update(proposal, {}).rows
    assert (held.track_id, held.is_sure) == (track, False)

    proposal = camera.tracker.propose(0.5, faces_at([(0.0, 50.0)]), is_search=False)
    (again,) = camera.tracker.update(proposal, {0: embedding_of(ANN)}).rows
    assert (again.track_id, again.is_sure) == (track, True)

    proposal = camera.tracker.doubt(
        camera.tracker.propose(0.6, faces_at([(0.0, 50.0)]), is_search=False), doubt
    )
    (other,) = camera.tracker.update(proposal, {0: embedding_of(BEN)}).rows
    assert other.track_id != track


def test_who_was_hidden_for_long_may_come_out_far_away() -> None:
    """Ben walks behind Ann, and is seen in her place where she was a quarter of a second before."""
    camera = Camera()
    for frame in range(2):
        camera.show(frame / 10, [(ANN, 100.0), (BEN, 170.0)])
    for frame in range(1, 13):
        camera.show(0.1 + frame / 10, [(ANN, 100.0 + 20 * frame)])
    seen = camera.show(1.54, [(BEN, 380.0)])
    assert camera.asks == [True]
    assert ids(seen) == [2]
