"""Worlds with people whose truth is known, for tests of the tracker: paths, faces that hide each other, frames that are lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from facewire_server.streams.tracks import Seen, Tracker
from facewire_server.types import Faces

SIDE_PX = 100.0
DIMENSION = 64
HIDDEN_W = 0.6
"""A face is hidden by a nearer one whose center is closer than this many widths."""


def embedding_of(person: int, noise: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
    """(DIMENSION,) unit vector, orthogonal to those of other people but for the noise."""
    embedding = np.eye(DIMENSION)[person]
    if noise is not None:
        embedding = embedding + noise
    return np.asarray(embedding / np.linalg.norm(embedding), np.float32)


def faces_at(places: Sequence[tuple[float, float]]) -> Faces:
    """Faces of SIDE_PX whose upper left corners are at these pixels."""
    corners = np.array(places, np.float32).reshape(-1, 2)
    boxes = np.concatenate([corners, corners + np.float32(SIDE_PX)], axis=1)
    return Faces(boxes, np.ones(len(boxes), np.float32), np.zeros((len(boxes), 5, 2), np.float32))


@dataclass
class Camera:
    """Shows faces of people to a tracker, and counts what it asks for."""

    tracker: Tracker = field(default_factory=lambda: Tracker(count(1).__next__))
    asked: int = 0
    asks: list[bool] = field(default_factory=list)
    proposed: list[int] = field(default_factory=list)

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
        proposal = self.tracker.propose(
            at_s, faces_at([(x, 50.0) for _, x in people]), is_search=is_search
        )
        self.asks, self.proposed = proposal.ask.tolist(), proposal.track_ids.tolist()
        self.asked += sum(self.asks)
        embeddings = {
            row: embedding_of(person)
            for row, (person, _) in enumerate(people)
            if (proposal.ask[row] or row in looks) and person not in poor
        }
        return self.tracker.update(proposal, embeddings)


@dataclass(frozen=True)
class Shot:
    """One frame of a world: whose faces are where, in pixels; whether a cut came before it."""

    at_s: float
    people: list[int]
    places: list[tuple[float, float]]
    is_cut: bool


def walks(seed: int, people: int, *, fps: float, seconds: float, dropped: float) -> list[Shot]:
    """People on random smooth ways in a room eight widths wide, who hide each other; frames are dropped, and the stream has gaps.

    Each goes at up to 3 widths a second; who is hidden comes out elsewhere; at a cut all change their places at once.
    """
    rng = np.random.default_rng(seed)
    rates = rng.uniform(0.02, 0.2, (people, 2, 2))
    phases = rng.uniform(0, 2 * np.pi, (people, 2, 2))
    sizes = np.array([2.0, 0.7])[None, :, None] * rng.uniform(0.3, 1.0, (people, 2, 2))
    shots, at_s, was_cut = list[Shot](), 0.0, False
    while at_s < seconds:
        ways = (sizes * np.sin(2 * np.pi * rates * at_s + phases)).sum(axis=2) * SIDE_PX
        seen = [
            person
            for person in range(people)
            if all(
                np.hypot(*(ways[person] - ways[nearer])) > HIDDEN_W * SIDE_PX
                for nearer in range(person)
            )
        ]
        if rng.random() >= dropped:
            order = rng.permutation(seen).tolist()
            places = [(float(ways[p][0]), float(ways[p][1])) for p in order]
            shots.append(Shot(at_s, order, places, was_cut))
            was_cut = False
        at_s += rng.uniform(0.5, 1.5) / fps
        if rng.random() < 0.01:
            at_s += rng.uniform(0.0, 4.0)  # the stream has a gap
        if rng.random() < 0.01:
            phases, was_cut = rng.uniform(0, 2 * np.pi, phases.shape), True
    return shots


@st.composite
def worlds(draw: st.DrawFn) -> list[Shot]:
    """Worlds of one to five people at 1 to 30 frames/s, up to half of the frames dropped."""
    return walks(
        draw(st.integers(0, 2**32 - 1)),
        draw(st.integers(1, 5)),
        fps=draw(st.sampled_from([1.0, 2.0, 5.0, 10.0, 30.0])),
        seconds=12.0,
        dropped=draw(st.sampled_from([0.0, 0.1, 1 / 3, 0.5])),
    )


def names_carried_over(
    shots: Sequence[Shot],
    *,
    noise: float = 0.0,
    poor: float = 0.0,
    looks: float = 0.0,
    seed: int = 0,
    tracker: Tracker | None = None,
) -> tuple[list[str], list[Seen]]:
    """Runs a tracker through a world.

    Args:
        shots: the world.
        noise: length of the noise of an embedding, whose own length is 1.
        poor: share of faces that are too poor to be embedded.
        looks: share of faces that are embedded unasked.
        seed: of noise, poor faces and looks.
        tracker: to go on with.

    Returns:
        A line for each sure sighting of a person under another's track, and all that was seen. A track is the person's of whom
        its first sure embedding was.
    """
    rng = np.random.default_rng(seed)
    tracker = tracker or Tracker(count(1).__next__)
    owners, wrong, all_seen = dict[int, int](), list[str](), list[Seen]()
    for shot in shots:
        if shot.is_cut:
            tracker.cut()
        proposal = tracker.propose(shot.at_s, faces_at(shot.places), is_search=True)
        embeddings = {}
        for row, person in enumerate(shot.people):
            drawn = rng.random(2)
            direction = rng.standard_normal(DIMENSION) / np.sqrt(DIMENSION)
            if drawn[0] >= poor and (proposal.ask[row] or drawn[1] < looks):
                embeddings[row] = embedding_of(person, noise * direction)
        seen = tracker.update(proposal, embeddings)
        all_seen.append(seen)
        for row, (person, sighting) in enumerate(zip(shot.people, seen.rows, strict=True)):
            if sighting.is_sure and row in embeddings:
                owners.setdefault(sighting.track_id, person)
            if sighting.is_sure and owners.get(sighting.track_id, person) != person:
                wrong.append(f"{shot.at_s:.2f} s: {person} in track {sighting.track_id}")
    return wrong, all_seen
