"""One stream's tracks: proposes which face is whose by motion, and decides by embeddings where motion leaves a choice."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.appearance import AGREES, Departed, averaged, similarities
from facewire_server.streams.tracks.choice import Pair, Question, chosen, is_clear
from facewire_server.streams.tracks.doubles import same_as
from facewire_server.streams.tracks.frame_times import FrameTimes
from facewire_server.streams.tracks.links import are_beside, links_between
from facewire_server.streams.tracks.motion import changed_velocity, predicted
from facewire_server.streams.tracks.track import Track
from facewire_server.streams.tracks.values import Proposal, Seen, Sighting, TrackRecord
from facewire_server.types import Faces

__all__ = ["Tracker"]

_ASK_AGAIN_S: Final = 0.2
"""Seconds after which a face is asked for again whose last embedding decided nothing, or was not to be had. Chosen, not measured."""

_MOST_TRACKS: Final = 512
"""Most tracks that have not ended; of more, those that were not seen for longest end. Twice the faces of one frame."""


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
        self._times = FrameTimes()
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
        self._end_unseen(at_s, self._times.end_after_s(at_s))
        boxes = faces.boxes.astype(np.float64)
        rows = np.arange(len(boxes))
        # In a search the detector has suppressed doubles itself; what overlaps there is two people.
        better = rows if is_search else same_as(boxes, faces.scores)
        tracks = tuple(self._tracks.values())
        usable = (better == rows) & (not self._is_cut)
        links = links_between(tracks, boxes, at_s, usable)
        _, possible, safe = links
        ids = np.zeros(len(boxes), np.int64)
        ask = better == rows
        is_poor = np.array([at_s - t.poor_at_s < _ASK_AGAIN_S for t in tracks], np.bool_)
        for row in rows[ask]:
            candidates = np.flatnonzero(possible[:, row])
            if safe[row] >= 0:
                ids[row] = tracks[safe[row]].track_id
                ask[row] = not tracks[safe[row]].is_sure and not is_poor[safe[row]]
            elif len(candidates):
                if len(candidates) == 1 and possible[candidates[0]].sum() == 1:
                    ids[row] = tracks[candidates[0]].track_id
                ask[row] = not is_poor[candidates].all()
        self._question = Question(ids, ask, better != rows, at_s, boxes, better, tracks, links)
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
        safe = question.links.safe
        now_s = question.at_s
        is_poor = [
            row >= 0 and now_s - question.tracks[row].poor_at_s < _ASK_AGAIN_S for row in safe
        ]
        ask = question.ask | (rows & ~question.is_double & ~np.array(is_poor, np.bool_))
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
        is_alive = np.array([t.track_id in self._tracks for t in question.tracks], np.bool_)
        pairs = chosen(question, alike, known, is_alive)
        for track in self._tracks.values():
            track.is_visible = False
            track.is_placed &= not self._is_cut
        track_of = self._moved(question, pairs)
        self._judge(question, known, alike, pairs, is_alive)
        new = [row for row in range(count) if row not in track_of and not question.is_double[row]]
        for row in new:
            track_of[row] = self._begun(question, row, known.get(row))
        placed = [track for track in self._tracks.values() if track.is_placed]
        for track, is_beside in zip(placed, are_beside(placed), strict=True):
            track.is_beside = bool(is_beside) or (track.is_beside and not track.is_visible)
        self._is_cut = False
        self._times.add(question.at_s)
        self._limit()
        shown = [track_of[int(row)] for row in question.same_as]
        return Seen(
            tuple(
                Sighting(track.track_id, track.visit_id, row in new, track.is_sure)
                for row, track in enumerate(shown)
            ),
            tuple(t.track_id for t in self._tracks.values() if not t.is_visible),
            self._named_once(),
        )

    def expire(self, at_s: float) -> tuple[int, ...]:
        """Ends the tracks that were not seen for long, and returns the ids of all that ended since `Seen` named any.

        Args:
            at_s: now on the stream's track clock, seconds.
        """
        self._end_unseen(at_s, self._times.end_after_s())
        return self._named_once()

    def end_all(self) -> tuple[int, ...]:
        """Ends all tracks, and returns the ids of all that ended since `Seen` named any."""
        self._end(list(self._tracks.values()))
        return self._named_once()

    def state(self, at_s: float) -> tuple[TrackRecord, ...]:
        """Returns what another process needs to carry the tracks on: no embedding.

        Args:
            at_s: now on the stream's track clock, seconds.
        """
        return tuple(track.record(at_s) for track in self._tracks.values())

    def restore(self, records: Iterable[TrackRecord], at_s: float) -> None:
        """Carries on the tracks of another process.

        None is sure until it is embedded again. The first embedding is then the track's appearance: whether it is the person
        whom the track showed before is for the track's verdict to find out. Tracks end as if seen last `unseen_s` before `at_s`.

        Args:
            records: of `state`.
            at_s: time of the first frame on this stream's track clock, seconds.
        """
        for record in records:
            self._tracks[record.track_id] = Track.of_record(record, at_s)

    def _last(self, proposal: Proposal) -> Question:
        question, self._question = self._question, None
        if question is None or question is not proposal:
            raise ValueError("not the last proposal, or already used")
        return question

    def _end_unseen(self, at_s: float, after_s: float) -> None:
        self._end([t for t in self._tracks.values() if at_s - t.seen_at_s > after_s])
        self._departed.forget_before(at_s)

    def _limit(self) -> None:
        hidden = [track for track in self._tracks.values() if not track.is_visible]
        excess = min(len(self._tracks) - _MOST_TRACKS, len(hidden))
        if excess > 0:
            self._end(sorted(hidden, key=lambda track: track.seen_at_s)[:excess])

    def _end(self, tracks: Sequence[Track]) -> None:
        for track in tracks:
            del self._tracks[track.track_id]
            self._departed.add(track)
            self._ended.append(track.track_id)

    def _named_once(self) -> tuple[int, ...]:
        ended, self._ended = tuple(self._ended), []
        return ended

    def _moved(self, question: Question, pairs: Sequence[Pair]) -> dict[int, Track]:
        """Moves tracks to their faces, and returns them by row."""
        for index, row in pairs:
            track, box = question.tracks[index], question.boxes[row]
            moved = changed_velocity(track, box, question.at_s)
            track.velocity_px = moved if track.is_placed else np.zeros(2)  # after a cut
            track.box, track.seen_at_s = box, question.at_s
            track.is_visible = track.is_placed = True
        return {row: question.tracks[index] for index, row in pairs}

    def _judge(
        self,
        question: Question,
        known: Mapping[int, NDArray[np.float32]],
        alike: NDArray[np.float64],
        pairs: Sequence[Pair],
        is_alive: NDArray[np.bool_],
    ) -> None:
        """Decides which of the tracks that continue are sure."""
        at_s = question.at_s
        # Another face of this frame looks like the track: which of the two is it?
        is_claimed = (alike >= AGREES).sum(axis=1) > 0
        others = is_alive.copy()
        settled = [index for index, row in pairs if alike[index, row] >= AGREES]
        others[settled] = False
        for index, row in pairs:
            track, embedding = question.tracks[index], known.get(row)
            is_safe = bool(question.links.safe[row] == index)
            if embedding is None:
                track.is_sure &= is_safe and not bool(is_claimed[index])
                if question.ask[row]:
                    track.poor_at_s = at_s
            elif track.appearance is None:
                if track.visit_id == track.track_id:
                    track.visit_id = self._visit(embedding) or track.track_id
                track.agree(averaged(None, embedding), at_s, is_sure=True)
            elif index in settled:
                is_sure = is_clear((index, row), alike, others)
                track.agree(averaged(track.appearance, embedding), at_s, is_sure=is_sure)
            else:
                track.hesitate(at_s, is_safe=is_safe)

    def _begun(self, question: Question, row: int, embedding: NDArray[np.float32] | None) -> Track:
        track_id = self._new_id()
        track = Track(track_id, track_id, question.boxes[row], np.zeros(2), question.at_s)
        if embedding is None:
            track.poor_at_s = question.at_s
        else:
            track.visit_id = self._visit(embedding) or track_id
            track.agree(averaged(None, embedding), question.at_s, is_sure=True)
        self._tracks[track_id] = track
        return track

    def _visit(self, embedding: NDArray[np.float32]) -> int | None:
        """Returns the visit of someone who left and has come back; who is in the picture has not left."""
        present = {track.visit_id for track in self._tracks.values() if track.is_visible}
        return self._departed.visit_of(embedding, present)
