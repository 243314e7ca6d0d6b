"""Where a face can be some time after it was seen: predictions, and distances from them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.track import Track

__all__ = ["Motion", "Reach", "centers", "changed_velocity", "predicted", "sides"]

_COAST_S: Final = 0.5
"""A prediction goes on for this many seconds of the last velocity in the end, ever slower. Measured with the next: of 0.15, 0.5 and 2 the
median distance from the prediction is least at 0.5 in clips of walking people, and does not differ in the others."""

_STEADY_S: Final = 0.15
"""Seconds over which velocities are averaged. Measured: 0.03 to 0.3 differ by less than a tenth; 0.6 is worse by a sixth."""

_SHORTEST_S: Final = 0.001
"""Two sightings are at least this many seconds apart, so that a velocity is finite. Chosen, not measured."""


class Reach(NamedTuple):
    """How far a face goes in dt seconds: `still + speed · dt`, for dt up to `longest_s`.

    Attributes:
        still: in widths of the face (or as a ratio of sizes).
        speed: the same a second.
        longest_s: seconds after which the reach grows no further.
    """

    still: float
    speed: float
    longest_s: float

    def after(self, elapsed_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the reach after each of the times."""
        return self.still + self.speed * np.minimum(elapsed_s, self.longest_s)


class Motion:
    """t tracks against n faces.

    Attributes:
        elapsed_s: (t,) float64, since each track was seen last.
        off: (t, n) float64, from the predicted center to the face's, in widths of the larger of the two faces.
        way: (t, n) float64, the same from the line between the last and the predicted center: who stops, or turns back, is on it.
        ratio: (t, n) float64, the larger size by the smaller, 1 or more.
    """

    def __init__(self, tracks: Sequence[Track], boxes: NDArray[np.float64], at_s: float) -> None:
        last = np.array([track.box for track in tracks], np.float64).reshape(-1, 4)
        self.elapsed_s = np.array([at_s - track.seen_at_s for track in tracks]).clip(_SHORTEST_S)
        begun, path, to = centers(last), _coasted(tracks, self.elapsed_s), centers(boxes)
        own, other = sides(last)[:, None], sides(boxes)[None]
        larger = np.maximum(own, other)
        self.ratio = larger / np.minimum(own, other)
        moved = to[None] - begun[:, None]
        self.off = np.hypot(*np.moveaxis(moved - path[:, None], 2, 0)) / larger
        along = (moved * path[:, None]).sum(axis=2)
        share = along / np.maximum((path**2).sum(axis=1), 1e-9)[:, None]
        beside = moved - share.clip(0, 1)[..., None] * path[:, None]
        self.way = np.hypot(*np.moveaxis(beside, 2, 0)) / larger


def predicted(tracks: Sequence[Track], at_s: float) -> NDArray[np.float64]:
    """Returns (t, 4) float64 boxes, the size as last seen, moved on by a velocity that fades."""
    boxes = np.array([track.box for track in tracks], np.float64).reshape(-1, 4)
    elapsed_s = np.array([at_s - track.seen_at_s for track in tracks]).clip(0)
    moved = _coasted(tracks, elapsed_s)
    boxes += np.concatenate([moved, moved], axis=1)
    return boxes


def changed_velocity(track: Track, box: NDArray[np.float64], at_s: float) -> NDArray[np.float64]:
    """Returns the velocity (2,) of a track that is seen at `box` now, averaged over the last moments."""
    elapsed_s = max(at_s - track.seen_at_s, _SHORTEST_S)
    moved = (box[:2] + box[2:] - track.box[:2] - track.box[2:]) / 2 / elapsed_s
    share = 1 - np.exp(-elapsed_s / _STEADY_S)
    velocity: NDArray[np.float64] = track.velocity_px + share * (moved - track.velocity_px)
    return velocity


def centers(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (n, 2) of (n, 4) boxes."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def sides(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (n,) of (n, 4) boxes: what is called the width of a face, the mean of width and height, at least a pixel."""
    size: NDArray[np.float64] = boxes[:, 2:] - boxes[:, :2]
    return ((size[:, 0] + size[:, 1]) / 2).clip(1)


def _coasted(tracks: Sequence[Track], elapsed_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (t, 2): how far each track has moved, in pixels, at a velocity that fades."""
    velocities = np.array([track.velocity_px for track in tracks], np.float64).reshape(-1, 2)
    return velocities * (_COAST_S * (1 - np.exp(-elapsed_s / _COAST_S)))[:, None]
