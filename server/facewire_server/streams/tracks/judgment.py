"""What a frame's embeddings make of the tracks that its faces continue: sure, in doubt, or on a visit that began before."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.appearance import AGREES, Away, averaged
from facewire_server.streams.tracks.choice import Pair, Question, are_clear
from facewire_server.streams.tracks.track import Track

__all__ = ["introduce", "judge"]


def introduce(track: Track, embedding: NDArray[np.float32], away: Away, at_s: float) -> None:
    """Takes the first embedding of a track, which may show that its person has been here before."""
    if track.visit_id == track.track_id:
        track.visit_id = away.visit_of(embedding) or track.track_id
    track.agree(embedding.astype(np.float32), at_s, is_sure=True)


def judge(
    question: Question,
    pairs: Sequence[Pair],
    alike: NDArray[np.float64],
    embeddings: Mapping[int, NDArray[np.float32]],
    is_alive: NDArray[np.bool_],
    away: Away,
) -> None:
    """Decides which of the tracks that continue are sure.

    Args:
        question: of t tracks and n faces.
        pairs: that were chosen.
        alike: (t, n) float64 cosines, NaN = unknown.
        embeddings: of the faces, by row.
        is_alive: (t,) bool, tracks that have not ended since the proposal.
        away: who can come back.
    """
    at_s, safe, tracks = question.at_s, question.links.safe, question.tracks
    agree = [pair for pair in pairs if alike[pair] >= AGREES] if embeddings else []
    # Another face of this frame looks like the track: which of the two is it?
    is_claimed = np.asarray((alike >= AGREES).any(axis=1), np.bool_)
    _agreed(question, agree, alike, embeddings, is_alive)
    settled = set(agree)
    for index, row in pairs:
        if (index, row) in settled:
            continue
        track, embedding = tracks[index], embeddings.get(row)
        is_safe = bool(safe[row] == index)
        if embedding is None:
            track.is_sure &= is_safe and not bool(is_claimed[index])
            if question.ask[row]:
                track.poor_at_s = at_s
        elif track.appearance is None:
            introduce(track, embedding, away, at_s)
        else:
            track.hesitate(at_s, is_safe=is_safe)


def _agreed(
    question: Question,
    pairs: Sequence[Pair],
    alike: NDArray[np.float64],
    embeddings: Mapping[int, NDArray[np.float32]],
    is_alive: NDArray[np.bool_],
) -> None:
    """Has tracks take the embeddings that agree, all together."""
    if not pairs:
        return
    indices, rows = (list(side) for side in zip(*pairs, strict=True))
    tracks = [question.tracks[index] for index in indices]
    others = is_alive.copy()
    others[indices] = False
    clear = are_clear(alike, indices, rows, others)
    before = np.stack([mean for track in tracks if (mean := track.appearance) is not None])
    means = averaged(before, np.stack([embeddings[row] for row in rows]))
    for track, mean, is_sure in zip(tracks, means, clear.tolist(), strict=True):
        # A copy: a row would keep the means of all others in memory for as long as the track lives.
        track.agree(mean.copy(), question.at_s, is_sure=is_sure)
