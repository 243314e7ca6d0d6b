"""What a frame of many faces costs the tracker, in steps of the interpreter: the event loop waits for them."""

import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from types import FrameType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.streams.tracks import Tracker, tracker
from facewire_server.types import Faces

Places = NDArray[np.float64]
Embeddings = NDArray[np.float32]
World = Callable[[np.random.Generator, int], tuple[Places, Embeddings]]

SIDE_PX = 60.0
STEPS_A_FACE = 1_000
"""Instructions of Python for each face of a frame: a hundred statements."""

STEPS_A_FRAME = 8_000
"""Instructions of Python besides."""


def unit(vectors: NDArray[np.float64]) -> Embeddings:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def scattered(rng: np.random.Generator, faces: int) -> Places:
    return rng.uniform(0, SIDE_PX * np.sqrt(faces), (faces, 2))


def new_people(rng: np.random.Generator, faces: int) -> tuple[Places, Embeddings]:
    return scattered(rng, faces), unit(rng.standard_normal((faces, 128)))


def one_place(rng: np.random.Generator, faces: int) -> tuple[Places, Embeddings]:
    return rng.uniform(0, SIDE_PX, (faces, 2)), unit(np.eye(faces, 256) + 0.001)


def all_alike(rng: np.random.Generator, faces: int) -> tuple[Places, Embeddings]:
    return scattered(rng, faces), unit(1 + 0.1 * rng.standard_normal((faces, 128)))


def steps_of(work: Callable[[], Any]) -> int:
    """Instructions of Python that a call executes within the tracker's own package."""
    executed = 0
    room = tracker.__file__.rpartition("/")[0]

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal executed
        if not frame.f_code.co_filename.startswith(room):
            return None
        frame.f_trace_opcodes = True
        executed += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return executed


def show(tracks: Tracker, at_s: float, places: Places, embeddings: Embeddings) -> None:
    boxes = np.concatenate([places, places + SIDE_PX], axis=1).astype(np.float32)
    n = len(boxes)
    faces = Faces(boxes, np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))
    tracks.windows(at_s)
    proposal = tracks.propose(at_s, faces, is_search=True)
    tracks.update(proposal, dict(enumerate(embeddings)))


def most_steps(world: World, faces: int) -> int:
    """The most steps of a frame, of frames all of whose faces are embedded."""
    rng, tracks = np.random.default_rng(0), Tracker(count(1).__next__)
    return max(steps_of(partial(show, tracks, at / 10, *world(rng, faces))) for at in range(6))


@pytest.mark.parametrize("world", [new_people, one_place, all_alike])
@pytest.mark.parametrize("faces", [1, 16, 256])
def test_a_frame_takes_so_many_steps_for_each_face(world: World, faces: int) -> None:
    assert most_steps(world, faces) <= STEPS_A_FRAME + STEPS_A_FACE * faces
