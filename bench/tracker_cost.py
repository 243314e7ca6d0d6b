"""What a frame costs the tracker: processor time of the event loop, for one face and for crowds whose faces are all embedded.

No pictures and no models: places and embeddings are drawn at random. *Standing*: each face where it was, a little off. *Jumping*: the same people, each
somewhere else in every frame. *New*: other people in every frame. *Alike*: people who all look alike, and jump.
"""

import time
from collections.abc import Callable
from itertools import count
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.report import Report, parser, run
from facewire_server.streams.tracks import Tracker
from facewire_server.types import Faces

__all__: list[str] = []

_FACES: Final = (1, 3, 16, 64, 256)
_SIDE_PX: Final = 60.0
_DIMENSION: Final = 128
_STEP_S: Final = 0.1
_FRAMES: Final = 24
_FIRST: Final = 4
"""Frames that are not counted: the tracks are new."""

World = Callable[[np.random.Generator, int, int], tuple[NDArray[np.float64], NDArray[np.float32]]]
"""From a generator, which is fresh in each frame, faces and the frame's number to places and embeddings."""


def main() -> int:
    report = Report("tracker_cost", parser("tracker_cost", __doc__).parse_args())
    lines = []
    for title, world in _WORLDS.items():
        cells = {faces: _spent_ms(world, faces) for faces in _FACES}
        report.values[title] = cells
        lines.append((title, *(f"{np.median(ms):.2f}; {max(ms):.2f}" for ms in cells.values())))
    columns = ["faces", *map(str, _FACES)]
    report.table("processor time of a frame, ms: median; most", columns, lines)
    return report.finish()


def _spent_ms(world: World, faces: int) -> list[float]:
    tracker, spent = Tracker(count(1).__next__), []
    for number in range(_FRAMES):
        corners, embeddings = world(np.random.default_rng(number), faces, number)
        boxes = np.concatenate([corners, corners + _SIDE_PX], axis=1).astype(np.float32)
        found = Faces(boxes, np.ones(faces, np.float32), np.zeros((faces, 5, 2), np.float32))
        known = dict(enumerate(embeddings))
        began_s = time.thread_time()
        tracker.windows(number * _STEP_S)
        proposal = tracker.propose(number * _STEP_S, found, is_search=True)
        tracker.update(proposal, known)
        spent.append(1e3 * (time.thread_time() - began_s))
    return spent[_FIRST:]


def _scattered(random: np.random.Generator, faces: int) -> NDArray[np.float64]:
    return random.uniform(0, _SIDE_PX * np.sqrt(faces), (faces, 2))


def _people(faces: int, seed: int, *, alike: float = 0.0) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).standard_normal((faces, _DIMENSION)) + alike
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def _standing(
    random: np.random.Generator, faces: int, _: int
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    places = _scattered(np.random.default_rng(faces), faces)
    return places + random.normal(0, 0.03 * _SIDE_PX, places.shape), _people(faces, 0)


_WORLDS: Final[dict[str, World]] = {
    "standing": _standing,
    "jumping": lambda random, faces, _: (_scattered(random, faces), _people(faces, 0)),
    "new": lambda random, faces, number: (_scattered(random, faces), _people(faces, number)),
    "alike": lambda random, faces, _: (_scattered(random, faces), _people(faces, 0, alike=10)),
}


if __name__ == "__main__":
    run(main)
