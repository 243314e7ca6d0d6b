"""Where the constants of the server's tracker come from: how faces of the lent clips move, and how alike their embeddings are.

The tracks of each clip are first made at its full rate, with every embedding. Then they are thinned, and each sighting is compared with
what a tracker that sees only the sightings before expects. Different people are those who are in one frame, and those of different clips.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, count
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.clip_faces import ClipFaces, see_clips
from bench.report import Report, parser, run
from facewire_server.streams.tracks import Tracker
from facewire_server.streams.tracks.appearance import averaged
from facewire_server.streams.tracks.motion import Motion, changed_velocities
from facewire_server.streams.tracks.track import Track
from facewire_server.types import Faces
from harness import pictures

__all__: list[str] = []

_STEPS: Final = (1, 2, 3, 6, 10, 15, 30)
"""One sighting in this number of frames is kept."""

_QUANTILES: Final = (0.5, 0.9, 0.99, 0.999)
_LONGEST_S: Final = 1.5
"""Sightings that are farther apart are not compared."""


def _tracks(clip: ClipFaces) -> dict[int, list[int]]:
    """Returns the rows of each track, at the full rate, with every embedding of a good face."""
    ids = count(1)
    tracker = Tracker(lambda: next(ids))
    tracks: dict[int, list[int]] = defaultdict(list)
    for number in range(clip.frame_count):
        rows = np.flatnonzero(clip.frames == number)
        faces = Faces(
            clip.boxes[rows].astype(np.float32),
            clip.scores[rows],
            np.zeros((len(rows), 5, 2), np.float32),
        )
        proposal = tracker.propose(number / clip.fps, faces, is_search=True)
        good = {at: clip.embeddings[row] for at, row in enumerate(rows) if clip.is_good[row]}
        for row, sighting in zip(rows, tracker.update(proposal, good).rows, strict=True):
            if sighting.is_sure or not clip.is_good[row]:
                tracks[sighting.track_id].append(int(row))
    return {track: rows for track, rows in tracks.items() if len(rows) > 2}


def _moves(
    clip: ClipFaces, rows: Sequence[int], step: int
) -> list[tuple[float, float, float, float]]:
    """Returns (elapsed s, off, way, ratio) of each sighting of a thinned track but the first two."""
    moves, track = [], None
    for seen, row in enumerate(rows[::step]):
        at_s, box = clip.frames[row] / clip.fps, clip.boxes[row]
        if track is None:
            track = Track(1, 1, box, np.zeros(2), at_s)
            continue
        if at_s - track.seen_at_s <= _LONGEST_S and seen > 1:
            motion = Motion([track], box[None], at_s)
            moves.append(
                (
                    float(motion.elapsed_s[0]),
                    float(motion.off[0, 0]),
                    float(motion.way[0, 0]),
                    float(motion.ratio[0, 0]),
                )
            )
        track.velocity_px = changed_velocities([track], box[None], at_s)[0]
        track.box, track.seen_at_s = box, at_s
    return moves


def _likenesses(clip: ClipFaces, rows: Sequence[int], step: int) -> list[float]:
    """Returns the cosines of the good embeddings of a thinned track to the mean of those before."""
    mean, found = None, []
    for row in [row for row in rows if clip.is_good[row]][::step]:
        if mean is not None:
            found.append(float(mean @ clip.embeddings[row]))
        new = clip.embeddings[row]
        mean = new if mean is None else averaged(mean[None], new[None])[0]
    return found


def _mean(clip: ClipFaces, rows: Sequence[int]) -> NDArray[np.float32] | None:
    good = [row for row in rows if clip.is_good[row]]
    if not good:
        return None
    mean = clip.embeddings[good].mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def main() -> int:
    report = Report("track_constants", parser("track_constants", __doc__).parse_args())
    folder = pictures.folder("video")
    paths = sorted(folder.glob("*.mp4")) + sorted((folder / "asl").glob("*/*.mkv"))
    clips = dict(zip(paths, see_clips(paths), strict=True))
    tracks = {path: _tracks(clip) for path, clip in clips.items()}
    moves: dict[int, list[tuple[float, float, float, float]]] = defaultdict(list)
    alike: dict[int, list[float]] = defaultdict(list)
    for path, clip in clips.items():
        for rows in tracks[path].values():
            for step in _STEPS:
                moves[step] += _moves(clip, rows, step)
                alike[step] += _likenesses(clip, rows, step)
    for place, what in ((1, "off the prediction"), (2, "off the way"), (3, "ratio of sizes")):
        report.table(
            f"{what}: quantiles, in widths of the face",
            ["every … frame", "n", "seconds", *map(str, _QUANTILES), "most"],
            [
                (
                    str(step),
                    str(len(found)),
                    f"{np.median([move[0] for move in found]):.3f}",
                    *(f"{np.quantile([m[place] for m in found], q):.3f}" for q in _QUANTILES),
                    f"{max(move[place] for move in found):.3f}",
                )
                for step, found in moves.items()
                if found
            ],
        )
    report.table(
        "cosine to the mean of the track: quantiles",
        ["every … good face", "n", "least", "0.001", "0.01", "0.1", "0.5"],
        [
            (
                str(step),
                str(len(found)),
                f"{min(found):.3f}",
                *(f"{np.quantile(found, q):.3f}" for q in (0.001, 0.01, 0.1, 0.5)),
            )
            for step, found in alike.items()
            if found
        ],
    )
    strangers = _strangers(clips, tracks)
    report.table(
        "cosine of a good face to the mean of another person's track: quantiles",
        ["n", "0.5", "0.9", "0.99", "0.999", "most"],
        [
            (
                str(len(strangers)),
                *(f"{np.quantile(strangers, q):.3f}" for q in (0.5, 0.9, 0.99, 0.999)),
                f"{strangers.max():.3f}",
            )
        ],
    )
    report.values |= {"moves": moves, "alike": alike}
    return report.finish()


def _strangers(
    clips: dict[Path, ClipFaces], tracks: dict[Path, dict[int, list[int]]]
) -> NDArray[np.float64]:
    found: list[float] = []
    for path, clip in clips.items():
        for one, other in combinations(tracks[path].values(), 2):
            if set(clip.frames[one].tolist()) & set(clip.frames[other].tolist()):
                found += _between(clip, one, clip, other)
    for one_path, other_path in combinations(clips, 2):
        if one_path.parent != other_path.parent:
            for one in tracks[one_path].values():
                for other in tracks[other_path].values():
                    found += _between(clips[one_path], one, clips[other_path], other)
    return np.array(found)


def _between(
    clip: ClipFaces, rows: Sequence[int], other_clip: ClipFaces, others: Sequence[int]
) -> list[float]:
    mean = _mean(other_clip, others)
    good = [row for row in rows if clip.is_good[row]]
    return [] if mean is None or not good else (clip.embeddings[good] @ mean).tolist()


if __name__ == "__main__":
    run(main)
