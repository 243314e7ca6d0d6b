"""One stream's tracks: proposes which face is whose by motion, and decides by embeddings where motion leaves a choice."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.appearance import (
    AGREES,
    CONTRADICTS,
    Departed,
    averaged,
    similarities,
)
from facewire_server.streams.tracks.assignment import assigned
from facewire_server.streams.tracks.doubles import same_as
from facewire_server.streams.tracks.motion import Motion, Reach, changed_velocity, predicted
from facewire_server.streams.tracks.values import Proposal, Seen, Sighting, Track, TrackRecord
from facewire_server.types import Faces

__all__ = ["Tracker"]

_POSSIBLE: Final = Reach(0.6, 1.5, 2.0)
_POSSIBLE_RATIO: Final = Reach(1.6, 1.0, 2.0)
"""What motion allows, in widths and as a ratio of sizes. Chosen, not measured."""

_CALM: Final = Reach(0.2, 1.0, 0.4)
_CALM_RATIO: Final = Reach(1.25, 0.5, 0.4)
"""How far a face is from its prediction if nothing happened, in widths and as a ratio of sizes. Chosen, not measured."""

_RIVAL: Final = Reach(0.4, 1.5, 0.4)
"""A second face that is less than this much farther from the prediction than the first leaves a choice, in widths. Chosen, not measured."""

_GAP_S: Final = 0.4
"""After this many seconds without a sighting another person can stand in the same place. Chosen, not measured."""

_BESIDE: Final = 1.5
"""Faces whose centers are nearer than this many widths can hide each other between two frames. Chosen, not measured."""

_ASK_AGAIN_S: Final = 0.2
"""Seconds after which a track is asked for again whose last embedding decided nothing, or was not to be had. Chosen, not measured."""

_ENDS_AFTER_S: Final = 2.0
_ENDS_AFTER_FRAMES: Final = 3
"""A track ends when it was not seen for so many seconds, or frames, whichever is longer. Required."""

_INTERVALS: Final = 9
"""Number of the last frames whose times say how long a frame takes (their median). Chosen, not measured: odd; one gap changes little."""

_LONGEST_INTERVAL_S: Final = 5.0
"""A longer time between two frames is a gap, not the stream's rate, seconds. Chosen, not measured: a frame every five seconds."""

_MOST_TRACKS: Final = 512
"""Most tracks that have not ended; of more, those that were not seen for longest end. Twice the faces of one frame."""

_UNKNOWN_SIMILARITY: Final = 0.45
"""Cosine that a pair counts with if one of the two is not embedded: as if it just agreed. Chosen, not measured."""

_APPEARANCE_WEIGHT: Final = 3.0
"""Cost of a cosine of 0 instead of 1; the farthest possible place costs 1. Chosen, not measured: appearance decides before place."""


class Tracker:
    """Follows people through the frames of one stream. Deterministic: the same frames give the same tracks.

    A frame is two calls: `propose` with its faces, and `update` with the embeddings that were asked for. Without the
    second, the frame counts as never seen.
    """

    def __init__(self, new_id: Callable[[], int]) -> None:
        """Starts without tracks.

        Args:
            new_id: returns a positive id that was never used before.
        """
        self._new_id = new_id
        self._tracks: dict[int, Track] = {}
        self._departed = Departed()
        self._ended: list[int] = []
        self._intervals_s: deque[float] = deque(maxlen=_INTERVALS)
        self._frame_at_s: float | None = None
        self._is_cut = False

    def windows(self, at_s: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns which tracks can be followed, and where to look.

        Args:
            at_s: time of the frame that comes.

        Returns:
            Ids (n,) of the tracks that the last frame showed, and their predicted boxes (n, 4) in pixels of the
            upright picture; none after a cut.
        """
        tracks = [] if self._is_cut else [t for t in self._tracks.values() if t.is_visible]
        ids = np.array([track.track_id for track in tracks], np.int64)
        return ids, predicted(tracks, at_s).astype(np.float32)

    def cut(self) -> None:
        """Takes note that the next frame shows another scene: places mean nothing there."""
        self._is_cut = True

    def propose(self, at_s: float, faces: Faces, *, is_search: bool) -> Proposal:
        """Says which tracks the faces of a frame continue, as far as places and times can.

        Args:
            at_s: time of the frame on the stream's track clock, seconds; never before the last frame's.
            faces: in pixels of the upright picture.
            is_search: the whole frame was searched, not only the windows of known faces.
        """
        self._learn_interval(at_s)
        self._end_unseen(at_s)
        boxes = faces.boxes.astype(np.float64)
        better = same_as(boxes, faces.scores)
        is_double = better != np.arange(len(boxes))
        tracks = tuple(self._tracks.values())
        motion = Motion(tracks, boxes, at_s)
        possible = (motion.way <= _POSSIBLE.after(motion.elapsed_s)[:, None]) & (
            motion.ratio <= _POSSIBLE_RATIO.after(motion.elapsed_s)[:, None]
        )
        possible &= ~is_double[None] & (not self._is_cut)
        safe = self._safe(tracks, motion, possible)
        ids = np.zeros(len(boxes), np.int64)
        ask = ~is_double
        for row in np.flatnonzero(possible.sum(axis=0) == 1):
            index = int(possible[:, row].argmax())
            if possible[index].sum() == 1:
                ids[row] = tracks[index].track_id
        for row in np.flatnonzero(safe >= 0):
            track = tracks[safe[row]]
            ids[row] = track.track_id
            ask[row] = not track.is_sure and at_s - track.asked_at_s >= _ASK_AGAIN_S
        return Proposal(
            ids, ask, is_double, at_s, boxes, tracks, motion.off, possible, safe, better
        )

    def update(self, proposal: Proposal, embeddings: Mapping[int, NDArray[np.float32]]) -> Seen:
        """Assigns the faces of a frame to tracks.

        Args:
            proposal: the last one.
            embeddings: (d,) float32 unit vectors by row: of the faces that were asked for, and of others that were
                embedded for other reasons. A face too poor to be embedded has none.
        """
        count = len(proposal.boxes)
        known = {row: e for row, e in embeddings.items() if not proposal.is_double[row]}
        is_embedded = np.isin(np.arange(count), list(known))
        tracks = proposal.tracks
        alike = similarities(tracks, known, count)
        is_alive = np.array([t.track_id in self._tracks for t in tracks], np.bool_)[:, None]
        agrees, contradicts = alike >= AGREES, alike < CONTRADICTS
        allowed = ((proposal.possible & ~contradicts) | agrees) & is_alive
        fixed = [
            (int(proposal.safe[row]), int(row))
            for row in np.flatnonzero((proposal.safe >= 0) & ~is_embedded)
            if is_alive[proposal.safe[row]]
        ]
        for index, row in fixed:
            allowed[index] = False
            allowed[:, row] = False
        costs = proposal.off.clip(max=1) + _APPEARANCE_WEIGHT * (
            1 - np.where(np.isnan(alike), _UNKNOWN_SIMILARITY, alike)
        ).clip(0)
        columns = assigned(costs, allowed)
        pairs = fixed + [(i, int(row)) for i, row in enumerate(columns) if row >= 0]
        sightings = self._seen(proposal, known, pairs, agrees)
        self._is_cut = False
        self._frame_at_s = proposal.at_s
        self._limit(proposal.at_s)
        lost = tuple(t.track_id for t in self._tracks.values() if not t.is_visible)
        ended, self._ended = tuple(self._ended), []
        return Seen(tuple(sightings), lost, ended)

    def expire(self, at_s: float) -> tuple[int, ...]:
        """Ends the tracks that were not seen for long, and returns the ids of all that ended since `Seen` named any.

        Args:
            at_s: now on the stream's track clock, seconds.
        """
        self._end_unseen(at_s)
        ended, self._ended = tuple(self._ended), []
        return ended

    def end_all(self) -> tuple[int, ...]:
        """Ends all tracks, and returns the ids of all that ended since `Seen` named any."""
        self._end(list(self._tracks.values()))
        ended, self._ended = tuple(self._ended), []
        return ended

    def state(self, at_s: float) -> tuple[TrackRecord, ...]:
        """Returns what another process needs to carry the tracks on: no embedding.

        Args:
            at_s: now on the stream's track clock, seconds.
        """
        return tuple(
            TrackRecord(
                track.track_id,
                track.visit_id,
                tuple(track.box.tolist()),
                tuple(track.velocity_px.tolist()),
                max(at_s - track.seen_at_s, 0.0),
            )
            for track in self._tracks.values()
        )

    def restore(self, records: Iterable[TrackRecord], at_s: float) -> None:
        """Carries on the tracks of another process.

        None is sure until it is embedded again. The first embedding is then the track's appearance: whether it is the person
        whom the track showed before is for the track's verdict to find out. Tracks end as if seen last `unseen_s` before `at_s`.

        Args:
            records: of `state`.
            at_s: time of the first frame on this stream's track clock, seconds.
        """
        for record in records:
            self._tracks[record.track_id] = Track(
                record.track_id,
                record.visit_id,
                np.array(record.box, np.float64),
                np.array(record.velocity_px, np.float64),
                at_s - record.unseen_s,
                is_visible=False,
                is_beside=True,
            )

    def _learn_interval(self, at_s: float) -> None:
        if self._frame_at_s is not None and at_s > self._frame_at_s:
            self._intervals_s.append(min(at_s - self._frame_at_s, _LONGEST_INTERVAL_S))

    def _end_unseen(self, at_s: float) -> None:
        frame_s = float(np.median(self._intervals_s)) if self._intervals_s else 0.0
        ends_after_s = max(_ENDS_AFTER_S, _ENDS_AFTER_FRAMES * frame_s)
        self._end([t for t in self._tracks.values() if at_s - t.seen_at_s > ends_after_s])
        self._departed.forget_before(at_s)

    def _limit(self, at_s: float) -> None:
        hidden = [track for track in self._tracks.values() if not track.is_visible]
        excess = min(len(self._tracks) - _MOST_TRACKS, len(hidden))
        if excess > 0:
            self._end(sorted(hidden, key=lambda track: track.seen_at_s)[:excess])

    def _end(self, tracks: Sequence[Track]) -> None:
        for track in tracks:
            del self._tracks[track.track_id]
            self._departed.add(track)
            self._ended.append(track.track_id)

    def _safe(
        self, tracks: Sequence[Track], motion: Motion, possible: NDArray[np.bool_]
    ) -> NDArray[np.intp]:
        """Returns (n,) the track that each face continues, if nothing but a long look could doubt it; else -1."""
        count = possible.shape[1]
        safe = np.full(count, -1, np.intp)
        calm = (motion.off <= _CALM.after(motion.elapsed_s)[:, None]) & (
            motion.ratio <= _CALM_RATIO.after(motion.elapsed_s)[:, None]
        )
        rival = _RIVAL.after(motion.elapsed_s)
        for index, row in np.argwhere(calm & possible):
            track = tracks[index]
            if motion.elapsed_s[index] > _GAP_S or (track.is_beside and not track.is_visible):
                continue
            near = motion.off[index, row] + rival
            close = possible & (motion.way <= near[:, None])
            if close[index].sum() == 1 and close[:, row].sum() == 1:
                safe[row] = index
        return safe

    def _seen(
        self,
        proposal: Proposal,
        known: Mapping[int, NDArray[np.float32]],
        pairs: Sequence[tuple[int, int]],
        agrees: NDArray[np.bool_],
    ) -> list[Sighting]:
        """Moves the tracks to their faces, begins the others, and returns all sightings."""
        at_s, tracks, boxes = proposal.at_s, proposal.tracks, proposal.boxes
        for track in self._tracks.values():
            track.is_visible = False
        track_of: dict[int, Track] = {}
        doubted = set[int]()
        for index, row in pairs:
            track, embedding = tracks[index], known.get(row)
            is_safe = proposal.safe[row] == index
            track.velocity_px = changed_velocity(track, boxes[row], at_s)
            track.box, track.seen_at_s, track.is_visible = boxes[row], at_s, True
            track.count += 1
            if embedding is None:
                track.is_sure &= bool(is_safe)
                if any(agrees[index, other] for other in known if other != row):
                    doubted.add(track.track_id)
            elif track.appearance is None or agrees[index, row]:
                if track.appearance is None and track.visit_id == track.track_id:
                    present = {t.visit_id for t in track_of.values()}
                    track.visit_id = self._departed.visit_of(embedding, present) or track.visit_id
                track.appearance = averaged(track.appearance, embedding)
                track.is_sure = True
            else:
                track.is_sure &= bool(is_safe)
            if proposal.ask[row]:
                track.asked_at_s = at_s
            track_of[row] = track
        new = [
            row for row in range(len(boxes)) if row not in track_of and not proposal.is_double[row]
        ]
        for row in new:
            track_of[row] = self._begun(boxes[row], at_s, known.get(row), track_of.values())
        for track in track_of.values():
            track.is_sure &= track.track_id not in doubted
        self._note_neighbors([*track_of.values()])
        return [
            Sighting(t.track_id, t.visit_id, row in new, t.is_sure)
            for row in range(len(boxes))
            for t in [track_of[int(proposal.same_as[row])]]
        ]

    def _begun(
        self,
        box: NDArray[np.float64],
        at_s: float,
        embedding: NDArray[np.float32] | None,
        present: Iterable[Track],
    ) -> Track:
        track_id = self._new_id()
        visit_id = None
        if embedding is not None:
            visit_id = self._departed.visit_of(embedding, {t.visit_id for t in present})
        track = Track(track_id, visit_id or track_id, box, np.zeros(2), at_s, asked_at_s=at_s)
        if embedding is not None:
            track.appearance, track.is_sure = averaged(None, embedding), True
        self._tracks[track_id] = track
        return track

    def _note_neighbors(self, seen: Sequence[Track]) -> None:
        """Marks the visible tracks that have another one near."""
        if seen:
            boxes = np.array([track.box for track in seen])
            motion = Motion(seen, boxes, seen[0].seen_at_s)
            beside = (motion.off <= _BESIDE).sum(axis=1) > 1
            for track, is_beside in zip(seen, beside, strict=True):
                track.is_beside = bool(is_beside)
