"""A tracker follows people, and holds a name back until an embedding of the face agrees."""

from collections.abc import Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks import Seen, Tracker
from facewire_server.types import Faces

SIDE_PX = 100.0
ANN, BEN, CAT = 0, 1, 2


class Camera:
    """Shows faces of people with orthogonal embeddings to a tracker, and counts what it asks for."""

    def __init__(self) -> None:
        ids = count(1)
        self.tracker = Tracker(lambda: next(ids))
        self.asked = 0
        self.asks: list[bool] = []

    def show(
        self,
        at_s: float,
        people: Sequence[tuple[int, float]],
        *,
        poor: Sequence[int] = (),
        looks: Sequence[int] = (),
        is_search: bool = True,
    ) -> Seen:
        """Shows each person at x; `poor` people cannot be embedded, `looks` are rows embedded unasked."""
        faces = faces_at([x for _, x in people])
        proposal = self.tracker.propose(at_s, faces, is_search=is_search)
        self.asks = proposal.ask.tolist()
        self.asked += sum(self.asks)
        embeddings = {
            row: embedding_of(person)
            for row, (person, _) in enumerate(people)
            if (proposal.ask[row] or row in looks) and person not in poor
        }
        return self.tracker.update(proposal, embeddings)


def faces_at(xs: Sequence[float]) -> Faces:
    boxes = np.array([[x, 50.0, x + SIDE_PX, 50.0 + SIDE_PX] for x in xs], np.float32)
    return Faces(
        boxes.reshape(-1, 4), np.ones(len(xs), np.float32), np.zeros((len(xs), 5, 2), np.float32)
    )


def embedding_of(person: int) -> NDArray[np.float32]:
    return np.eye(8, dtype=np.float32)[person]


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
