"""Unknown visits for tests: whose looks resemble each other as much as the test says."""

from itertools import count

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.journal import Crop
from facewire_server.streams.unknown import UnknownVisit
from facewire_server.types import Quality

__all__ = ["DIMENSION", "axis", "turned", "visit"]

DIMENSION = 128
_IDS = count(1_700_000_000_000_000)


def axis(number: int) -> NDArray[np.float32]:
    """The face of one of 128 people, of whom no two resemble each other: (128,) float32 of unit length."""
    return np.asarray(np.eye(DIMENSION)[number], np.float32)


def turned(face: int, other: int, cosine: float) -> NDArray[np.float32]:
    """A look at a face that resembles it so much, and another one for the rest."""
    sine = float(np.sqrt(1.0 - cosine * cosine))
    return np.asarray(cosine * axis(face) + sine * axis(other), np.float32)


def visit(
    looks_mean: NDArray[np.float32],
    *,
    gallery_id: str = "default",
    camera_id: str = "door",
    track_id: int = 0,
    visit_id: int = 0,
    at_us: int = 1_000_000,
    seconds: int = 10,
    eyes_px: float = 40.0,
    jpeg: bytes = b"",
) -> UnknownVisit:
    """A visit; its track is a new one unless the test names it. It has a picture if the test has one."""
    track_id = track_id or next(_IDS)
    quality = Quality(eyes_px, 50.0, 100.0)
    return UnknownVisit(
        gallery_id,
        camera_id,
        track_id,
        visit_id or track_id,
        at_us,
        at_us + seconds * 1_000_000,
        looks_mean,
        Crop(jpeg, 7, quality) if jpeg else None,
    )
