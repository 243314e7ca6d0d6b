"""One stream's tracks: proposes which face is whose by motion, and decides by embeddings where motion leaves a choice."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.appearance import similarities
from facewire_server.streams.tracks.choice import Pair, Question, chosen
from facewire_server.streams.tracks.doubles import same_as
from facewire_server.streams.tracks.judgment import introduce, judge
from facewire_server.streams.tracks.links import Links, are_beside, links_between
from facewire_server.streams.tracks.motion import changed_velocities, predicted
from facewire_server.streams.tracks.open_tracks import OpenTracks
from facewire_server.streams.tracks.track import Track
from facewire_server.streams.tracks.values import Proposal, Seen, Sighting, TrackRecord
from facewire_server.types import Faces

__all__ = ["Tracker"]

_ASK_AGAIN_S: Final = 0.2
"""Seconds after which a face is asked for again whose last embedding decided nothing, or was not to be had. Chosen, not measured."""


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
        self._tracks = OpenTracks(new_id)
        self._question: Question | None = None
        self._is_cut = False

    def windows(self, at_s: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns which tracks can be followed, and where to look.

        Args:
            at_s: time of the frame that comes.

        Returns:
            Ids (n,) of the tracks that the last frame showed, and their predicted boxes (n, 4) in pixels of the
            upright picture; none after a cut.
        """
        tracks = [] if self._is_cut else [t for t in self._tracks if t.is_visible]
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
        self._tracks.end_unseen(at_s, is_frame=True)
        boxes = faces.boxes.astype(np.float64)
        rows = np.arange(len(boxes))
        # In a search the detector has suppressed doubles itself; what overlaps there is two people.
        better = rows if is_search else same_as(boxes, faces.scores)
        tracks = tuple(self._tracks)
        is_kept = better == rows
        links = links_between(tracks, boxes, at_s, is_kept & (not self._is_cut))
        ids, ask = _proposed(tracks, links, at_s)
        self._question = Question(
            np.where(is_kept, ids, 0), ask & is_kept, ~is_kept, at_s, boxes, better, tracks, links
        )
        return self._question

    def doubt(self, proposal: Proposal, rows: NDArray[np.bool_]) -> Proposal:
        """Returns the last proposal again, with faces that must be embedded although their places leave no choice.

        Args:
            proposal: the last one, which is used up.
            rows: (n,) the faces that look unlike the track that they seem to continue.

        Raises:
            ValueError: `proposal` is not the last one, or was used.
        """
        question = self._last(proposal)
        if not rows.any():
            self._question = question
            return question
        safe = question.links.safe
        is_poor = np.array([*_are_poor(question.tracks, question.at_s), False], np.bool_)
        ask = question.ask | (rows & ~question.is_double & ~is_poor[safe])
        links = question.links._replace(safe=np.where(rows, -1, safe))
        self._question = replace(question, ask=ask, links=links)
        return self._question

    def update(self, proposal: Proposal, embeddings: Mapping[int, NDArray[np.float32]]) -> Seen:
        """Assigns the faces of a frame to tracks.

        Args:
            proposal: the last one, whose tracks have not been seen since.
            embeddings: (d,) float32 unit vectors by row: of the faces that were asked for, and of others that were
                embedded for other reasons. A face too poor to be embedded has none.

        Raises:
            ValueError: `proposal` is not the last one, or was used.
        """
        question = self._last(proposal)
        count = len(question.boxes)
        known = {row: e for row, e in embeddings.items() if not question.is_double[row]}
        alike = similarities(question.tracks, known, count)
        is_alive = np.array([track in self._tracks for track in question.tracks], np.bool_)
        pairs = chosen(question, alike, known, is_alive)
        for track in self._tracks:
            track.is_visible = False
            track.is_placed &= not self._is_cut
        track_of = _moved(question, pairs)
        away = self._tracks.away()
        judge(question, pairs, alike, known, is_alive, away)
        new = [row for row in range(count) if row not in track_of and not question.is_double[row]]
        for row in new:
            track_of[row] = track = self._tracks.begin(question.boxes[row], question.at_s)
            if row in known:
                introduce(track, known[row], away, question.at_s)
            else:
                track.poor_at_s = question.at_s
        placed = [track for track in self._tracks if track.is_placed]
        for track, is_beside in zip(placed, are_beside(placed).tolist(), strict=True):
            track.is_beside = is_beside or (track.is_beside and not track.is_visible)
        self._is_cut = False
        self._tracks.saw(question.at_s)
        begun = {track_of[row].track_id for row in new}
        shown = [track_of[row] for row in question.same_as.tolist()]
        return Seen(
            tuple(Sighting(t.track_id, t.visit_id, t.track_id in begun, t.is_sure) for t in shown),
            tuple(track.track_id for track in self._tracks if not track.is_visible),
            self._tracks.take_ended(),
        )

    def expire(self, at_s: float) -> tuple[int, ...]:
        """Ends the tracks that were not seen for long, and returns the ids of all that ended since `Seen` named any.

        Args:
            at_s: now on the stream's track clock, seconds.
        """
        self._tracks.end_unseen(at_s, is_frame=False)
        return self._tracks.take_ended()

    def end_all(self) -> tuple[int, ...]:
        """Ends all tracks, and returns the ids of all that ended since `Seen` named any."""
        self._tracks.end(list(self._tracks))
        return self._tracks.take_ended()

    def state(self, at_s: float) -> tuple[TrackRecord, ...]:
        """Returns what another process needs to carry the tracks on: no embedding.

        Args:
            at_s: now on the stream's track clock, seconds.
        """
        return tuple(track.record(at_s) for track in self._tracks)

    def restore(self, records: Iterable[TrackRecord], at_s: float) -> None:
        """Carries on the tracks of another process.

        None is sure until it is embedded again. The first embedding is then the track's appearance: whether it is the person
        whom the track showed before is for the track's verdict to find out. Tracks end as if seen last `unseen_s` before `at_s`.

        Args:
            records: of `state`.
            at_s: time of the first frame on this stream's track clock, seconds.
        """
        for record in records:
            self._tracks.restore(record, at_s)

    def _last(self, proposal: Proposal) -> Question:
        question, self._question = self._question, None
        if question is None or question is not proposal:
            raise ValueError("not the last proposal, or already used")
        return question


def _are_poor(tracks: Sequence[Track], at_s: float) -> NDArray[np.bool_]:
    """Returns (t,): which of the tracks were asked for a moment ago, in vain."""
    tried_s = np.array([track.poor_at_s for track in tracks], np.float64)
    return np.asarray(at_s - tried_s < _ASK_AGAIN_S, np.bool_)


def _proposed(
    tracks: Sequence[Track], links: Links, at_s: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Returns the track that each of n faces continues by geometry, 0 = none or a choice, and which faces must be embedded."""
    _, possible, safe = links
    if not tracks or not len(safe):
        return np.zeros(len(safe), np.int64), np.ones(len(safe), np.bool_)
    track_ids = np.array([track.track_id for track in tracks], np.int64)
    is_sure = np.array([track.is_sure for track in tracks], np.bool_)
    is_poor, is_safe = _are_poor(tracks, at_s), safe >= 0
    if is_safe.all():
        return track_ids[safe], ~(is_sure | is_poor)[safe]
    # Of one candidate, which has no other face to go on with, it is at least likely.
    candidates, likeliest = possible.sum(axis=0), possible.argmax(axis=0)
    is_likely = (candidates == 1) & (possible.sum(axis=1)[likeliest] == 1)
    index = np.where(is_safe, safe, likeliest)
    ids = np.where(is_safe | is_likely, track_ids[index], 0)
    may_help = (possible & ~is_poor[:, None]).any(axis=0)
    return ids, np.where(is_safe, ~(is_sure | is_poor)[index], (candidates == 0) | may_help)


def _moved(question: Question, pairs: Sequence[Pair]) -> dict[int, Track]:
    """Moves tracks to their faces, and returns them by row."""
    if not pairs:
        return {}
    tracks = [question.tracks[index] for index, _ in pairs]
    rows = [row for _, row in pairs]
    boxes = question.boxes[rows]
    velocities = changed_velocities(tracks, boxes, question.at_s)
    for track, box, velocity in zip(tracks, boxes, velocities, strict=True):
        track.velocity_px = velocity if track.is_placed else np.zeros(2)  # after a cut
        track.box, track.seen_at_s = box, question.at_s
        track.is_visible = track.is_placed = True
    return dict(zip(rows, tracks, strict=True))
