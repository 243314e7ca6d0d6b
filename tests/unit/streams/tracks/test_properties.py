"""Properties of a tracker in worlds of random walks, gaps, cuts and dropped frames: no name is carried over to another face."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.tracked_people import Shot, names_carried_over, walks, worlds

SHARES = st.sampled_from([0.0, 0.1, 0.5])


@given(worlds(), SHARES, SHARES, st.sampled_from([0.0, 0.4]), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_no_name_is_carried_over(
    shots: list[Shot], poor: float, looks: float, noise: float, seed: int
) -> None:
    wrong, _ = names_carried_over(shots, noise=noise, poor=poor, looks=looks, seed=seed)
    assert not wrong


@given(worlds())
@settings(max_examples=8, deadline=None)
def test_each_face_has_a_track_of_its_own(shots: list[Shot]) -> None:
    _, all_seen = names_carried_over(shots)
    ended = Counter[int]()
    for shot, seen in zip(shots, all_seen, strict=True):
        ids = [row.track_id for row in seen.rows]
        assert len(ids) == len(shot.people)
        assert len({*ids, *seen.lost}) == len(ids) + len(seen.lost)
        ended.update(seen.ended)
        assert not ended.keys() & {*ids, *seen.lost}, "an ended track comes back"
        assert max(ended.values(), default=0) <= 1, "an end is reported twice"


@given(worlds())
@settings(max_examples=5, deadline=None)
def test_the_same_frames_give_the_same_tracks(shots: list[Shot]) -> None:
    assert names_carried_over(shots, noise=0.4) == names_carried_over(shots, noise=0.4)


@given(worlds(), st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_the_order_of_the_faces_does_not_matter(shots: list[Shot], seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = []
    for shot in shots:
        order = rng.permutation(len(shot.people))
        shuffled.append(
            Shot(
                shot.at_s,
                [shot.people[row] for row in order],
                [shot.places[row] for row in order],
                shot.is_cut,
            )
        )
    groups = []
    for world in (shots, shuffled):
        _, all_seen = names_carried_over(world)
        tracks: dict[int, list[tuple[float, int, bool]]] = {}
        for shot, seen in zip(world, all_seen, strict=True):
            for person, row in zip(shot.people, seen.rows, strict=True):
                tracks.setdefault(row.track_id, []).append((shot.at_s, person, row.is_sure))
        groups.append(sorted(tracks.values()))
    assert groups[0] == groups[1]


@given(st.integers(0, 2**32 - 1), st.sampled_from([10.0, 30.0]))
@settings(max_examples=4, deadline=None)
def test_people_who_are_always_embeddable_are_never_doubted_for_long(seed: int, fps: float) -> None:
    shots = walks(seed, 3, fps=fps, seconds=20.0, dropped=0.1)
    _, all_seen = names_carried_over(shots)
    sure = [row.is_sure for seen in all_seen for row in seen.rows]
    assert np.mean(sure) >= 0.99
