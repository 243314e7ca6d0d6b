"""Where a face can be some time after it was seen: predictions, and distances from them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.values import Track

__all__ = ["Motion", "Reach", "changed_velocity", "predicted"]

_COAST_S: Final = 0.5
"""A prediction goes on for this many seconds of the last velocity in the end, ever slower. Chosen, not measured."""

_STEADY_S: Final = 0.15
"""Seconds over which velocities are averaged. Chosen, not measured."""

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
        coming, begun = _centers(predicted(tracks, at_s)), _centers(last)
        centers = _centers(boxes)
        own, other = _sides(last)[:, None], _sides(boxes)[None]
        larger = np.maximum(own, other)
        self.ratio = larger / np.minimum(own, other)
        self.off = np.linalg.norm(centers[None] - coming[:, None], axis=2) / larger
        path = coming - begun
        length2 = np.maximum((path**2).sum(axis=1), 1e-9)
        share = ((centers[None] - begun[:, None]) * path[:, None]).sum(axis=2) / length2[:, None]
        nearest = begun[:, None] + share.clip(0, 1)[..., None] * path[:, None]
        self.way = np.linalg.norm(centers[None] - nearest, axis=2) / larger


def predicted(tracks: Sequence[Track], at_s: float) -> NDArray[np.float64]:
    """Returns (t, 4) float64 boxes, the size as last seen, moved on by a velocity that fades."""
    boxes = np.array([track.box for track in tracks], np.float64).reshape(-1, 4)
    velocities = np.array([track.velocity_px for track in tracks], np.float64).reshape(-1, 2)
    elapsed_s = np.array([at_s - track.seen_at_s for track in tracks]).clip(0)
    coasted_s = _COAST_S * (1 - np.exp(-elapsed_s / _COAST_S))
    return boxes + np.tile(velocities * coasted_s[:, None], 2)


def changed_velocity(track: Track, box: NDArray[np.float64], at_s: float) -> NDArray[np.float64]:
    """Returns the velocity (2,) of a track that is seen at `box` now, averaged over the last moments."""
    elapsed_s = max(at_s - track.seen_at_s, _SHORTEST_S)
    moved = (_centers(box[None]) - _centers(track.box[None]))[0] / elapsed_s
    share = 1 - np.exp(-elapsed_s / _STEADY_S)
    velocity: NDArray[np.float64] = track.velocity_px + share * (moved - track.velocity_px)
    return velocity


def _centers(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _sides(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (n,): mean of width and height, at least a pixel."""
    sides: NDArray[np.float64] = (boxes[:, 2:] - boxes[:, :2]).mean(axis=1)
    return sides.clip(1)
