"""Which face can continue which track, by place, size and time alone, and if nothing can be wrong with it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.motion import Motion, Reach, centers, sides
from facewire_server.streams.tracks.track import Track

__all__ = ["Links", "are_beside", "links_between"]

_POSSIBLE: Final = Reach(0.6, 1.5, 2.0)
_POSSIBLE_RATIO: Final = Reach(1.6, 1.0, 2.0)
"""What motion allows, in widths and as a ratio of sizes. Measured (`python -m bench.track_constants`): 999 of 1000 sightings of the clips lie
within 0.26 widths of the predicted way after 1/30 s, 0.51 after 0.1 s, 0.86 after 0.2 s, 1.19 after 0.33 s, and within a ratio of
1.37. Who is farther is found by the embedding, wherever the face is."""

_CALM: Final = Reach(0.2, 1.0, 0.4)
_CALM_RATIO: Final = Reach(1.25, 0.5, 0.4)
"""How far a face is from its prediction if nothing happened, in widths and as a ratio of sizes. Measured: so do
99.9 % of the sightings of the clips after 1/30 s, 96 % after 0.1 s, 93 % after 0.2 s. The rest is embedded."""

_RIVAL: Final = Reach(0.4, 1.5, 0.4)
"""A second face, or a second track, that is less than this much farther away than the first leaves a choice, in widths.
Measured on made scenes (`python -m bench.crossings`): 0.2 and 0.75 cost 0.06 embeddings per face and frame at 10 frames/s instead of 0.10, and carry
a name over in two frames at about 5 frames/s; 0.6 and 2 cost 0.14, for nothing. A hidden track is a rival wherever motion allows it: with this
reach alone two frames of made-up people at about 5 frames/s were carried over; it costs 2 % more embeddings at 10."""

_GAP_S: Final = 0.25
"""After this many seconds without a sighting another person can stand in the same place. Measured on made scenes: with 0.4 s a
name is carried over in two frames at about 5 frames/s. A frame or two may be lost at 10 frames/s."""

_BESIDE: Final = 1.5
"""Faces whose centers are nearer than this many widths can hide each other between two frames. Chosen, not measured:
1 and 2.5 make no difference in made scenes."""

_SHADOW_S: Final = 0.2
"""While a hidden face may be just behind or before a track's, an embedding of the track is good for this many seconds. Measured on
made scenes at 10 frames/s: 0 costs 0.14 embeddings per face and frame, 0.2 0.10, 0.5 0.08; no name is carried over with any."""

_SHADOW_STILL: Final = 0.5
"""The share of a calm motion that a face may move in that time. Chosen, not measured."""


class Links(NamedTuple):
    """What geometry says about t tracks and n faces.

    Attributes:
        off: (t, n) float64, from the predicted place of a track to a face, in widths of the face.
        possible: (t, n) bool, what motion allows.
        safe: (n,) intp, the track that a face continues for certain, without an embedding; -1 = none.
    """

    off: NDArray[np.float64]
    possible: NDArray[np.bool_]
    safe: NDArray[np.intp]


def links_between(
    tracks: Sequence[Track], boxes: NDArray[np.float64], at_s: float, usable: NDArray[np.bool_]
) -> Links:
    """Judges all pairs of a track and a face.

    Args:
        tracks: t tracks.
        boxes: (n, 4) float64 pixels.
        at_s: time of the frame, seconds.
        usable: (n,) bool, faces that can be linked.
    """
    if not (tracks and len(boxes)):
        nothing = np.zeros((len(tracks), len(boxes)))
        return Links(nothing, nothing > 0, np.full(len(boxes), -1, np.intp))
    motion = Motion(tracks, boxes, at_s)
    elapsed_s = motion.elapsed_s[:, None]
    is_placed = np.array([track.is_placed for track in tracks], np.bool_)[:, None]
    possible = is_placed & usable
    possible &= motion.way <= _POSSIBLE.after(elapsed_s)
    possible &= motion.ratio <= _POSSIBLE_RATIO.after(elapsed_s)
    return Links(motion.off, possible, _safe(tracks, motion, possible, at_s))


def are_beside(tracks: Sequence[Track]) -> NDArray[np.bool_]:
    """Returns (t,): which of the tracks have another one near, each where it was seen last."""
    if len(tracks) < 2:
        return np.zeros(len(tracks), np.bool_)
    boxes = np.array([track.box for track in tracks], np.float64)
    (x, y), widths = centers(boxes).T, sides(boxes)
    apart = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    near = apart <= (_BESIDE * np.maximum(widths[:, None], widths)) ** 2
    beside: NDArray[np.bool_] = near.sum(axis=1) > 1
    return beside


def _safe(
    tracks: Sequence[Track], motion: Motion, possible: NDArray[np.bool_], at_s: float
) -> NDArray[np.intp]:
    """Returns (n,): the track that each face continues for certain; -1 = none."""
    elapsed_s, off, way = motion.elapsed_s, motion.off, motion.way
    is_visible = np.array([track.is_visible for track in tracks], np.bool_)
    is_beside = np.array([track.is_beside for track in tracks], np.bool_)
    reach = _CALM.after(elapsed_s)
    calm = possible & (off <= reach[:, None])
    calm &= motion.ratio <= _CALM_RATIO.after(elapsed_s)[:, None]
    calm &= ((elapsed_s <= _GAP_S) & (is_visible | ~is_beside))[:, None]
    # Of a track's calm faces only the nearest can be certain: the nearest is a rival of all others.
    nearest = np.where(calm, off, np.inf).argmin(axis=1)
    index = np.flatnonzero(calm.any(axis=1))
    safe, rows = np.full(off.shape[1], -1, np.intp), nearest[index]
    if not len(index):
        return safe
    away, rival = off[index, rows], _RIVAL.after(elapsed_s)
    faces = possible[index] & (way[index] <= (away + rival[index])[:, None])
    # Who is hidden may come out anywhere that motion allows.
    is_hidden = is_beside & ~is_visible
    near = possible[:, rows] & ((way[:, rows] <= away + rival[:, None]) | is_hidden[:, None])
    are_lone = near.sum(axis=0) == 1
    agreed_s = np.array([tracks[at].agreed_at_s for at in index.tolist()], np.float64)
    are_known = (at_s - agreed_s <= _SHADOW_S) & (away <= _SHADOW_STILL * reach[index])
    sure = (faces.sum(axis=1) == 1) & (are_lone | are_known)
    sure &= (near & is_visible[:, None]).sum(axis=0) <= is_visible[index]
    safe[rows[sure]] = index[sure]
    return safe
