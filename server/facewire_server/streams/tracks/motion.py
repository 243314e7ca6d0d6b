"""Where a face can be some time after it was seen: predictions, and distances from them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.track import Track

__all__ = ["Motion", "Reach", "centers", "changed_velocities", "predicted", "sides"]

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
        last = _boxes(tracks)
        self.elapsed_s = _elapsed_s(tracks, at_s, _SHORTEST_S)
        begun, path, to = centers(last), _coasted(tracks, self.elapsed_s), centers(boxes)
        own, other = sides(last)[:, None], sides(boxes)[None]
        larger = np.maximum(own, other)
        self.ratio = larger / np.minimum(own, other)
        # Across and down by themselves: sums over a last axis of two cost several times as much.
        along_x, along_y = path[:, :1], path[:, 1:]
        x, y = to[:, 0] - begun[:, :1], to[:, 1] - begun[:, 1:]
        self.off = np.sqrt((x - along_x) ** 2 + (y - along_y) ** 2) / larger
        share = (x * along_x + y * along_y) / np.maximum(along_x**2 + along_y**2, 1e-9)
        share = np.minimum(np.maximum(share, 0), 1)
        self.way = np.sqrt((x - share * along_x) ** 2 + (y - share * along_y) ** 2) / larger


def predicted(tracks: Sequence[Track], at_s: float) -> NDArray[np.float64]:
    """Returns (t, 4) float64 boxes, the size as last seen, moved on by a velocity that fades."""
    moved = _coasted(tracks, _elapsed_s(tracks, at_s, 0.0))
    boxes = _boxes(tracks)
    boxes += np.concatenate([moved, moved], axis=1)
    return boxes


def changed_velocities(
    tracks: Sequence[Track], boxes: NDArray[np.float64], at_s: float
) -> NDArray[np.float64]:
    """Returns the velocities (t, 2) of tracks that are seen at `boxes`, (t, 4), now, averaged over the last moments."""
    elapsed_s = _elapsed_s(tracks, at_s, _SHORTEST_S)[:, None]
    moved = (centers(boxes) - centers(_boxes(tracks))) / elapsed_s
    before = _velocities(tracks)
    return before + (1 - np.exp(-elapsed_s / _STEADY_S)) * (moved - before)


def centers(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (n, 2) of (n, 4) boxes."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def sides(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (n,) of (n, 4) boxes: what is called the width of a face, the mean of width and height, at least a pixel."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(np.maximum((size[:, 0] + size[:, 1]) / 2, 1), np.float64)


def _boxes(tracks: Sequence[Track]) -> NDArray[np.float64]:
    return np.array([track.box for track in tracks], np.float64).reshape(-1, 4)


def _velocities(tracks: Sequence[Track]) -> NDArray[np.float64]:
    return np.array([track.velocity_px for track in tracks], np.float64).reshape(-1, 2)


def _elapsed_s(tracks: Sequence[Track], at_s: float, least_s: float) -> NDArray[np.float64]:
    seen_s = np.array([track.seen_at_s for track in tracks], np.float64)
    elapsed_s: NDArray[np.float64] = np.maximum(at_s - seen_s, least_s)
    return elapsed_s


def _coasted(tracks: Sequence[Track], elapsed_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (t, 2): how far each track has moved, in pixels, at a velocity that fades."""
    return _velocities(tracks) * (_COAST_S * (1 - np.exp(-elapsed_s / _COAST_S)))[:, None]
