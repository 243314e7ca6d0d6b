"""Following faces instead of searching for them: how many are found again, how exactly, and for how much processor time.

The faces of one frame are the windows of the next one, which is 1/30, 1/10, 1/5 or 1/2 s later. The truth is what a search of that
frame finds above 0.9. A face of the first frame that the search finds again is a hit if it is followed with a score above 0.9 to a box
that shares half of both with the search's. Runs both signatures of `mtcnn` in this process, one thread each.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from bench.report import Report, parser, progress, run
from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.evaluation.intervals import wilson
from facewire_server.pipeline.canvas import draw_canvas
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.follow import Follower
from facewire_server.proof.detector_proof import iou
from facewire_server.types import DetectionOptions, Faces, Rgb
from harness import REPOSITORY, pictures

__all__: list[str] = []

_CLIPS: Final = (
    "short_hamilton_clip.mp4",
    "street_1080p.mp4",
    "woman_720p.mp4",
    "asl/signer_A/again.mkv",
)
_RATES: Final = (30, 10, 5, 2)
_AIMED_RATES: Final = (30, 10, 5)
_MOST_FRAMES: Final = 220
_SHORT_SIDE_PX: Final = 320
_MIN_SCORE: Final = 0.9
_OPTIONS: Final = DetectionOptions(min_score=_MIN_SCORE, max_faces=256, short_side_fraction=1 / 16)
_SAME_FACE: Final = 0.2
"""IoU of a face's boxes in two frames from which a search counts as finding it again."""

_HIT: Final = 0.5
_MIN_HIT_RATE: Final = 0.9
_MAX_SHARE: Final = 0.35


@dataclass
class _Rate:
    """What was followed at one rate: hits and faces; landmarks' distance in widths of the face; processor time of a call."""

    hits: int = 0
    faces: int = 0
    apart: list[float] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)

    def count(self, before: Faces, after: Faces, followed: Faces) -> None:
        """Counts the faces of one frame that a search of the next one finds again."""
        for row, box in enumerate(before.boxes):
            overlaps = [iou(box, other) for other in after.boxes]
            if not overlaps or max(overlaps) < _SAME_FACE:
                continue
            again = int(np.argmax(overlaps))
            self.faces += 1
            if followed.scores[row] > _MIN_SCORE and (
                iou(followed.boxes[row], after.boxes[again]) > _HIT
            ):
                self.hits += 1
                width_px = after.boxes[again][2] - after.boxes[again][0]
                apart = np.abs(followed.landmarks[row] - after.landmarks[again]).mean()
                self.apart.append(float(apart / width_px))


def main() -> int:
    flags = parser("follow", __doc__)
    flags.add_argument("--models", type=Path, default=REPOSITORY / "models")
    flags.add_argument("--frames", type=int, default=_MOST_FRAMES, help="of each clip")
    arguments = flags.parse_args()
    report = Report("follow", arguments)
    folder = pictures.folder("video")
    with (
        closing(OpenVinoModel(arguments.models / "mtcnn", threads=1)) as searching,
        closing(OpenVinoModel(arguments.models / "mtcnn", "follow", threads=1)) as following,
    ):
        detector, follower = Detector(searching), Follower(following)
        for clip in progress(_CLIPS, "clips", len(_CLIPS)):
            fps, canvases = _canvases(folder / clip, arguments.frames)
            measured = asyncio.run(_measured(detector, follower, fps, canvases))
            _show(report, clip, *measured)
    return report.finish()


def _canvases(path: Path, most: int) -> tuple[float, list[Rgb]]:
    video = cv2.VideoCapture(str(path))
    canvases: list[Rgb] = []
    while len(canvases) < most:
        was_read, frame = video.read()
        if not was_read:
            break
        image = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
        canvases.append(draw_canvas(image, _SHORT_SIDE_PX))
    return video.get(cv2.CAP_PROP_FPS) or _RATES[0], canvases


async def _measured(
    detector: Detector, follower: Follower, fps: float, canvases: Sequence[Rgb]
) -> tuple[list[Faces], list[float], dict[int, _Rate]]:
    """Returns the faces of each frame, the seconds of each search, and what was followed at each rate."""
    searched = [await _timed(detector.detect(canvas, _OPTIONS)) for canvas in canvases]
    faces = [one for one, _ in searched]
    rates: dict[int, _Rate] = defaultdict(_Rate)
    for rate in _RATES:
        frames = range(0, len(canvases), max(1, round(fps / rate)))
        for first, second in pairwise(frames):
            if len(faces[first]):
                call = follower.follow(canvases[second], faces[first].boxes)
                followed, took_s = await _timed(call)
                rates[rate].took_s.append(took_s)
                rates[rate].count(faces[first], faces[second], followed)
    return faces, [took_s for _, took_s in searched], rates


async def _timed(call: Awaitable[Faces]) -> tuple[Faces, float]:
    """Returns the result, and the processor time of this process, which does nothing else."""
    began_s = time.process_time()
    return await call, time.process_time() - began_s


def _show(
    report: Report, clip: str, faces: list[Faces], took_s: list[float], rates: dict[int, _Rate]
) -> None:
    search_ms = 1000 * float(np.median(took_s))
    lines = []
    for rate, one in rates.items():
        share = 1000 * float(np.median(one.took_s)) / search_ms
        hit_rate = one.hits / max(1, one.faces)
        low, high = wilson(one.hits, one.faces) if one.faces else (0.0, 1.0)
        apart = float(np.mean(one.apart)) if one.apart else float("nan")
        lines.append(
            (
                f"{rate} frames/s",
                f"{one.hits}/{one.faces} = {hit_rate:.3f} ({low:.3f} to {high:.3f})",
                f"{100 * apart:.1f} %",
                f"{share * search_ms:.2f} ms",
                f"{share:.3f}",
            )
        )
        report.values.setdefault(clip, {})[rate] = {
            "hits": one.hits,
            "faces": one.faces,
            "landmarks_apart": apart,
            "share": share,
        }
        if rate in _AIMED_RATES:
            report.aim(
                f"{clip}, {rate} frames/s: hits ≥ {_MIN_HIT_RATE}, time ≤ {_MAX_SHARE} of a search",
                f"{hit_rate:.3f}, {share:.3f}",
                met=hit_rate >= _MIN_HIT_RATE and share <= _MAX_SHARE,
            )
    report.values[clip]["search_ms"] = search_ms
    mean = float(np.mean([len(one) for one in faces]))
    report.table(
        f"{clip}: {mean:.1f} faces a frame, a search takes {search_ms:.1f} ms of one processor",
        ("", "hits (95 %)", "landmarks apart", "a call", "of a search"),
        lines,
    )


if __name__ == "__main__":
    run(main)
