"""Scenes of known truth for trackers: faces moved through each other, hidden, cut to others; of people from clips, or made up."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.boxes import iou
from bench.clip_faces import ClipFaces

__all__ = ["Actor", "Frame", "Scene", "actor_of", "made_up", "scenes"]

SIDE_PX: Final = 80.0
_MIDDLE_PX: Final = (640.0, 360.0)
_LOOKS_A_SECOND: Final = 30
_HIDDEN_IOU: Final = 0.3
"""A face is hidden when a nearer one covers this share of it (intersection over union), as detectors of faces see it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One person, k looks at 30 a second, played forth and back.

    Attributes:
        embeddings: (k, d) float32 unit vectors.
        is_good: (k,) bool: good enough to be embedded by a server.
        shifts: (k, 2) float64, how the head moves, in widths of the face.
        scales: (k,) float64, its size, about 1.
        scores: (k,) float32 of the detection.
    """

    embeddings: NDArray[np.float32]
    is_good: NDArray[np.bool_]
    shifts: NDArray[np.float64]
    scales: NDArray[np.float64]
    scores: NDArray[np.float32]

    def look(self, at_s: float) -> int:
        """Returns the number of the look at a time."""
        count = len(self.scores)
        number = int(at_s * _LOOKS_A_SECOND) % max(2 * count - 2, 1)
        return number if number < count else 2 * count - 2 - number


class Place(NamedTuple):
    """Where an actor is: actor's number, x and y in widths from the middle; of two that overlap, the nearer one is seen."""

    actor: int
    x: float
    y: float = 0.0
    nearness: float = 0.0


class Frame(NamedTuple):
    """What a detector returns of one frame, and whose the n faces are.

    Attributes:
        at_s: its time.
        boxes: (n, 4) float32 pixels.
        scores: (n,) float32.
        embeddings: (n, d) float32.
        is_good: (n,) bool.
        people: (n,) the actors' numbers.
        is_cut: a cut, which the stream notices, comes before it.
    """

    at_s: float
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    is_good: NDArray[np.bool_]
    people: NDArray[np.intp]
    is_cut: bool


class Scene(NamedTuple):
    """A scene of known truth.

    Attributes:
        kind: what happens in it.
        seconds: how long it is.
        actors: who plays.
        places: the visible actors at a time, before they hide each other.
        cuts_s: times of cuts that the stream notices.
        is_calm: nothing happens that could swap two people.
    """

    kind: str
    seconds: float
    actors: Sequence[Actor]
    places: Callable[[float], list[Place] | None]
    cuts_s: tuple[float, ...] = ()
    is_calm: bool = False

    def frames(self, times_s: Sequence[float]) -> Iterator[Frame]:
        """Yields the frames at these times; none for times in which the camera sends nothing (`places` is None)."""
        before_s = -1.0
        for at_s in times_s:
            places = self.places(at_s)
            if places is None or at_s >= self.seconds:
                continue
            is_cut = any(before_s < cut_s <= at_s for cut_s in self.cuts_s) and before_s >= 0
            yield self._frame(at_s, places, is_cut)
            before_s = at_s

    def _frame(self, at_s: float, places: Sequence[Place], is_cut: bool) -> Frame:
        looks = [self.actors[place.actor].look(at_s) for place in places]
        boxes = np.array(
            [
                _box(place, self.actors[place.actor], look)
                for place, look in zip(places, looks, strict=True)
            ]
        ).reshape(-1, 4)
        overlaps = iou(boxes, boxes)
        nearness = np.array([place.nearness for place in places])
        covered = (overlaps > _HIDDEN_IOU) & (nearness[None] > nearness[:, None])
        rows = np.flatnonzero(~covered.any(axis=1)).tolist()
        seen = [(self.actors[places[row].actor], looks[row]) for row in rows]
        dimension = self.actors[0].embeddings.shape[1]
        return Frame(
            at_s,
            boxes[rows].astype(np.float32),
            np.array([actor.scores[look] for actor, look in seen], np.float32),
            np.array([actor.embeddings[look] for actor, look in seen], np.float32).reshape(
                -1, dimension
            ),
            np.array([actor.is_good[look] for actor, look in seen], np.bool_),
            np.array([places[row].actor for row in rows], np.intp),
            is_cut,
        )


def actor_of(clip: ClipFaces) -> Actor:
    """Returns the person whose face has the highest score in each frame of a clip."""
    sides = (clip.boxes[:, 2:] - clip.boxes[:, :2]).mean(axis=1)
    rows = np.array(
        [
            max(np.flatnonzero(clip.frames == number), key=lambda row: clip.scores[row])
            for number in np.unique(clip.frames)
        ]
    )
    centers = (clip.boxes[rows, :2] + clip.boxes[rows, 2:]) / 2
    side = np.median(sides[rows])
    return Actor(
        clip.embeddings[rows],
        clip.is_good[rows],
        (centers - np.median(centers, axis=0)) / side,
        sides[rows] / side,
        clip.scores[rows],
    )


def made_up(seed: int, *, count: int = 90, dimension: int = 128, noise: float = 0.5) -> Actor:
    """Returns a person who does not exist: a random direction with noise that drifts, and a head that sways."""
    rng = np.random.default_rng(seed)
    person = rng.standard_normal(dimension) / np.sqrt(dimension)
    drift = _swaying(rng, count, dimension) / np.sqrt(dimension)
    embeddings = person + noise * drift
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return Actor(
        embeddings.astype(np.float32),
        np.ones(count, np.bool_),
        0.05 * _swaying(rng, count, 2),
        1 + 0.02 * _swaying(rng, count, 1)[:, 0],
        np.full(count, 0.99, np.float32),
    )


def scenes(actors: Sequence[Actor], seed: int) -> list[Scene]:
    """Returns one scene of each kind, with two actors (one of the calm, all of the group)."""
    two = list(actors[:2])
    return [
        Scene("calm", 12.0, two[:1], lambda _: [Place(0, 0.0)], is_calm=True),
        Scene("side by side", 12.0, two, lambda _: [Place(0, -0.6), Place(1, 0.6)], is_calm=True),
        Scene("crossing, fast", 15.0, two, lambda t: _crossing(t, 5.0, seed)),
        Scene("crossing, slow", 30.0, two, lambda t: _crossing(t, 15.0, seed)),
        Scene("turning back", 15.0, two, _turning_back),
        Scene("passing in front", 20.0, two, lambda t: _passing(t, 1.0)),
        Scene("passing behind", 20.0, two, lambda t: _passing(t, -1.0)),
        Scene("in behind a pillar, another out", 16.0, two, _pillar),
        Scene("turned away, another turns to", 12.0, two, _turned),
        Scene("gap of the stream", 14.0, two, _gap),
        Scene("cut", 12.0, two, _cut, tuple(1.5 * turn for turn in range(1, 8))),
        Scene("group", 20.0, list(actors), lambda t: _group(t, len(actors), seed)),
    ]


def _box(place: Place, actor: Actor, look: int) -> NDArray[np.float64]:
    center = np.array(_MIDDLE_PX) + SIDE_PX * (np.array([place.x, place.y]) + actor.shifts[look])
    half = SIDE_PX * actor.scales[look] / 2
    return np.concatenate([center - half, center + half])


def _swaying(rng: np.random.Generator, count: int, dimension: int) -> NDArray[np.float64]:
    """(count, dimension) of unit variance, correlated over a third of a second."""
    steps = rng.standard_normal((count, dimension))
    keep = float(np.exp(-1 / (0.3 * _LOOKS_A_SECOND)))
    for row in range(1, count):
        steps[row] = keep * steps[row - 1] + np.sqrt(1 - keep**2) * steps[row]
    return steps


def _crossing(at_s: float, period_s: float, seed: int) -> list[Place]:
    x = 3.75 * np.sin(2 * np.pi * at_s / period_s + 0.4 * seed + 1.0)
    return [Place(0, x, 0.0, 1.0), Place(1, -x, 0.12)]


def _turning_back(at_s: float) -> list[Place]:
    x = 0.1 + 2 * abs(np.cos(2 * np.pi * at_s / 6.0))
    return [Place(0, -x), Place(1, x, 0.1, 1.0)]


def _passing(at_s: float, nearness: float) -> list[Place]:
    x = 4 * np.sin(2 * np.pi * at_s / 10.0 + 1.2)
    return [Place(0, 0.0), Place(1, x, 0.1, nearness)]


def _pillar(at_s: float) -> list[Place]:
    """Each walks to the pillar, 1.2 widths about the middle, and the other comes out 0.7 s after; they go on in turns."""
    turn, within_s = divmod(at_s, 4.0)
    who = int(turn) % 2
    if within_s < 1.6:
        return [Place(who, -4.0 + 1.75 * within_s)]
    if within_s < 2.3:
        return []
    return [Place(1 - who, 1.2 + 1.75 * (within_s - 2.3))]


def _turned(at_s: float) -> list[Place]:
    turn, within_s = divmod(at_s, 2.0)
    return [Place(int(turn) % 2, 0.0)] if within_s < 1.5 else []


def _gap(at_s: float) -> list[Place] | None:
    turn, within_s = divmod(at_s, 3.5)
    return [Place(int(turn) % 2, 0.0)] if within_s < 2.0 else None


def _cut(at_s: float) -> list[Place]:
    return [Place(int(at_s // 1.5) % 2, 0.0)]


def _group(at_s: float, count: int, seed: int) -> list[Place]:
    places = []
    for actor in range(count):
        rng = np.random.default_rng([seed, actor])
        rates, phases = rng.uniform(0.05, 0.25, 4), rng.uniform(0, 2 * np.pi, 4)
        waves = np.sin(2 * np.pi * rates * at_s + phases)
        places.append(Place(actor, 1.6 * (waves[0] + waves[1]), 0.5 * (waves[2] + waves[3]), actor))
    return places
