"""What a tracker takes and returns, and what it knows about one track."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Proposal", "Seen", "Sighting", "Track", "TrackRecord"]


@dataclass(slots=True, eq=False)
class Track:
    """A person in front of the camera, as far as the last frames show.

    Attributes:
        track_id: never used again.
        visit_id: id of the visit's first track.
        box: (4,) float64, where the face was seen last, pixels of the upright picture.
        velocity_px: (2,) float64 x, y, pixels a second.
        seen_at_s: when it was seen last.
        count: sightings so far.
        asked_at_s: when an embedding was asked for last.
        is_visible: seen in the last frame.
        is_sure: no other person can have taken the track's place since its last embedding.
        is_beside: another face was near when this one was seen last.
        appearance: (d,) float32 unit vector, the mean of its embeddings; None = never embedded.
    """

    track_id: int
    visit_id: int
    box: NDArray[np.float64]
    velocity_px: NDArray[np.float64]
    seen_at_s: float
    count: int = 1
    asked_at_s: float = -np.inf
    is_visible: bool = True
    is_sure: bool = False
    is_beside: bool = False
    appearance: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """What geometry alone says about the n faces of a frame.

    Attributes:
        track_ids: (n,) int64, the track that each face continues; 0 = none, or a choice.
        ask: (n,) bool, faces that must be embedded before they can be assigned. A face among them that is too poor
            to be embedded has no embedding in `Tracker.update`.
        is_double: (n,) bool, faces that are another, better row's once more: two followed windows that converged. They are
            never asked for, and get the track of the other row: leave them out of results.
        at_s, boxes: of the frame; boxes (n, 4) float64.
        tracks: the t tracks that may continue.
        off: (t, n) float64, from the predicted place of a track to a face, in widths of the face.
        possible: (t, n) bool, what motion allows.
        safe: (n,) intp, row of `tracks` that a face continues without an embedding; -1 = none.
        same_as: (n,) intp, the row itself, or of a double the better row.
    """

    track_ids: NDArray[np.int64]
    ask: NDArray[np.bool_]
    is_double: NDArray[np.bool_]
    at_s: float
    boxes: NDArray[np.float64]
    tracks: tuple[Track, ...] = field(repr=False)
    off: NDArray[np.float64] = field(repr=False)
    possible: NDArray[np.bool_] = field(repr=False)
    safe: NDArray[np.intp] = field(repr=False)
    same_as: NDArray[np.intp] = field(repr=False)


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
