"""What a tracker returns, and what can be kept of it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Proposal", "Seen", "Sighting", "TrackRecord"]


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """What geometry alone says about the n faces of a frame.

    Attributes:
        track_ids: (n,) int64, the track that each face continues; 0 = none, or a choice.
        ask: (n,) bool, faces that must be embedded before they can be assigned. A face among them that is too poor
            to be embedded has no embedding in `Tracker.update`.
        is_double: (n,) bool, faces that are another, better row's once more: two followed windows that converged. They are
            never asked for, and get the track of the other row: leave them out of results.
    """

    track_ids: NDArray[np.int64]
    ask: NDArray[np.bool_]
    is_double: NDArray[np.bool_]


class Sighting(NamedTuple):
    """A face of a frame, and its track.

    Attributes:
        track_id: the track.
        visit_id: the first track of the visit. Changes once at most, when a track is embedded for the first time.
        is_new: the track begins with this face.
        is_sure: False: the track may have changed its person since it was embedded last, or was never embedded. Its
            name must be held back, and its embedding is no evidence for the track's verdict.
    """

    track_id: int
    visit_id: int
    is_new: bool
    is_sure: bool


class Seen(NamedTuple):
    """A frame's faces as sightings of tracks.

    Attributes:
        rows: one a face, in order.
        lost: tracks that have not ended and are not visible now. Those that `windows` named before this frame were lost
            in it.
        ended: tracks that ended since the last `Seen`, in no particular order; named once.
    """

    rows: tuple[Sighting, ...]
    lost: tuple[int, ...]
    ended: tuple[int, ...]


class TrackRecord(NamedTuple):
    """What is kept of a track, so that another process can carry it on: no embedding.

    Attributes:
        track_id, visit_id: of the track.
        box: where the face was seen last, x1, y1, x2, y2 in pixels.
        velocity_px: x, y, pixels a second.
        unseen_s: seconds from the last sighting to the record.
    """

    track_id: int
    visit_id: int
    box: tuple[float, float, float, float]
    velocity_px: tuple[float, float]
    unseen_s: float
