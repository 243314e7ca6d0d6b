"""Faces that are found at the second look: recall, false faces, failures to acquire, processor time.

The server's search runs in this process in three ways: with `min_score` 0.9 and no second look, as shipped (faces that are almost
sure are looked at again), and with `min_score` 0.7 and no second look. Scenes are searched for faces of several sizes, since the
score of one face depends on the size of the canvas; pictures without people are also turned by 180 degrees. The rule was chosen on
one half of the scenes, which is that of their paths' SHA-256; the other half is for checking.
"""

import argparse
import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from bench.boxes import found, iou
from bench.report import Report, parser, progress, run
from bench.scenes import DRAWN
from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.errors import ServerError
from facewire_server.evaluation.intervals import wilson
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.find import FaceFinder, FoundFaces
from facewire_server.pipeline.follow import Follower
from facewire_server.types import DetectionOptions, Picture, PictureLimits
from harness import REPOSITORY, pictures

__all__: list[str] = []

BEFORE: Final = "0.9, one look"
NOW: Final = "0.9, second look"
ALL: Final = "0.7, one look"
WAYS: Final = {BEFORE: 0.9, NOW: 0.9, ALL: 0.7}

_FINENESS: Final = (16, 24, 32, 42)
"""Shorter sides of a picture in smallest faces: a stream's, two in between, a single picture's, and finer."""

_SHIPPED: Final = 32
_EMPTY: Final = (16, _SHIPPED)
_LIMITS: Final = PictureLimits(max_frame_bytes=1 << 26, max_pixels=1 << 27)
_HALVES: Final = ("chosen on", "kept aside")
_NO_FACE: Final = 0.3
"""IoU with every annotated face under which a detection is on none of them."""


class _Lines:
    """The three ways to search, over the same models."""

    def __init__(
        self, searching: OpenVinoModel, following: OpenVinoModel, threads: ThreadPoolExecutor
    ) -> None:
        follower = Follower(following)
        detector = Detector(searching)
        plain = FaceFinder(detector, limits=_LIMITS, threads=threads)
        again = FaceFinder(detector, limits=_LIMITS, threads=threads, follower=lambda: follower)
        self._finders = {way: again if way == NOW else plain for way in WAYS}
        self.spent_s = dict.fromkeys(WAYS, 0.0)

    async def look(
        self, path: Path, fineness: int, *, turn: int = 0, is_timed: bool = False
    ) -> dict[str, FoundFaces]:
        """Searches a picture in each way; {} = it is not one that the server accepts."""
        data = path.read_bytes()
        seen = {}
        for way, finder in self._finders.items():
            options = DetectionOptions(WAYS[way], 1024, 1 / fineness)
            picture = Picture(data, rotation_degrees=turn)
            try:
                if is_timed:
                    await finder.find(picture, options)  # kernels are compiled for a new size
                began_s = time.process_time()
                seen[way] = await finder.find(picture, options)
            except ServerError:
                return {}
            if is_timed:
                self.spent_s[way] += time.process_time() - began_s
        return seen


def main() -> int:
    flags = parser("almost_sure", __doc__)
    flags.add_argument(
        "--people", type=int, default=400, help="pictures of verify and groups; 0 = all"
    )
    arguments = flags.parse_args()
    report = Report("almost_sure", arguments)
    folder = REPOSITORY / "models/mtcnn"
    with (
        closing(OpenVinoModel(folder, threads=1)) as searching,
        closing(OpenVinoModel(folder, "follow", threads=1)) as following,
        ThreadPoolExecutor(1) as threads,
    ):
        asyncio.run(_measure(report, _Lines(searching, following, threads), arguments))
    return report.finish()


async def _measure(report: Report, lines: _Lines, arguments: argparse.Namespace) -> None:
    scenes = pictures.folder("scenes")
    await _scenes(report, lines, scenes)
    await _empty(report, lines, scenes)
    _time(report, lines)
    for name, table in (("verify", "pairs.csv"), ("groups", "images.csv")):
        rows = pictures.rows(pictures.folder(name) / table)
        names = sorted({row.get("path") or row["path_a"] for row in rows})
        paths = [pictures.folder(name) / each for each in names]
        await _acquired(report, lines, name, pictures.evenly(paths, arguments.people))


async def _scenes(report: Report, lines: _Lines, scenes: Path) -> None:
    """Counts annotated faces that are found, and detections on none of them."""
    truth = json.loads((scenes / "boxes.json").read_text())
    count: Counter[tuple[object, ...]] = Counter()
    for name, boxes in progress(truth.items(), "scenes", len(truth)):
        known = np.array([(b["x"], b["y"], b["x"] + b["w"], b["y"] + b["h"]) for b in boxes], float)
        sides = (known[:, 2:] - known[:, :2]).max(axis=1)
        is_valid = ~np.array([bool(box["invalid"]) for box in boxes])
        for fineness in _FINENESS:
            seen = await lines.look(scenes / name, fineness, is_timed=fineness == _SHIPPED)
            for way, one in seen.items():
                faces = np.column_stack([one.faces.boxes, one.faces.scores]).astype(float)
                wanted = is_valid & (sides >= one.smallest_face_px)
                key = way, _half(name), fineness
                count[*key, "faces"] += int(wanted.sum())
                count[*key, "found"] += int((found(faces, known) & wanted).sum())
                count[*key, "on none"] += int((iou(faces, known).max(axis=1) < _NO_FACE).sum())
    for half in _HALVES:
        report.table(
            f"annotated faces found, scenes {half}; in brackets detections on none of them",
            ["smallest face", *WAYS],
            [
                (
                    f"1/{fineness}",
                    *(
                        f"{count[way, half, fineness, 'found']} of {count[way, half, fineness, 'faces']}"
                        f" ({count[way, half, fineness, 'on none']})"
                        for way in WAYS
                    ),
                )
                for fineness in _FINENESS
            ],
        )
    report.values["scenes"] = {
        half: {
            way: {
                what: sum(count[way, half, fineness, what] for fineness in _FINENESS)
                for what in ("found", "faces", "on none")
            }
            for way in WAYS
        }
        for half in _HALVES
    }
    aside = report.values["scenes"][_HALVES[1]]
    gain, most = (aside[way]["found"] - aside[BEFORE]["found"] for way in (NOW, ALL))
    report.aim(
        "at least half of what 0.7 finds more, on the half kept aside",
        f"{gain} of {most} ({wilson(min(gain, most), most):.0%})",
        met=2 * gain >= most,
    )


async def _empty(report: Report, lines: _Lines, scenes: Path) -> None:
    """Counts faces that are found on pictures without people, upright and turned by 180 degrees."""
    paths = [path for path in sorted((scenes / "noface").iterdir()) if path.name not in DRAWN]
    count: Counter[tuple[object, ...]] = Counter()
    for path in progress(paths, "noface", len(paths)):
        for turn in (0, 180):
            for fineness in _EMPTY:
                is_timed = not turn and fineness == _SHIPPED
                seen = await lines.look(path, fineness, turn=turn, is_timed=is_timed)
                half = _half(f"noface/{path.name}")
                for way, one in seen.items():
                    count[way, half, turn] += len(one.faces)
                    count[way, fineness, turn] += len(one.faces)
    report.table(
        f"faces found on {len(paths)} pictures without people, for a stream's and for a single picture's sizes",
        ["", *WAYS],
        [
            (f"{half}, turned by {turn}", *(str(count[way, half, turn]) for way in WAYS))
            for half in _HALVES
            for turn in (0, 180)
        ],
    )
    shipped = {way: count[way, _SHIPPED, 0] for way in WAYS}
    report.values["noface"] = {
        "pictures": len(paths),
        "as shipped": shipped,
        "all": {
            way: sum(count[way, half, turn] for half in _HALVES for turn in (0, 180))
            for way in WAYS
        },
    }
    everywhere = report.values["noface"]["all"]
    report.aim(
        "no false face more than without a second look",
        f"{everywhere[NOW] - everywhere[BEFORE]} more (at 0.7 {everywhere[ALL] - everywhere[BEFORE]})",
        met=everywhere[NOW] <= everywhere[BEFORE],
    )


def _time(report: Report, lines: _Lines) -> None:
    by = {way: spent_s / lines.spent_s[BEFORE] for way, spent_s in lines.spent_s.items()}
    report.table(
        "processor time of decoding, searching and cutting out, scenes and pictures without people, ÷ that of one look",
        ["", *by],
        [("", *by.values())],
    )
    report.values["processor_time_by_one_look"] = by


async def _acquired(report: Report, lines: _Lines, name: str, paths: Sequence[Path]) -> None:
    """Counts portraits without any face."""
    count: Counter[str] = Counter()
    for path in progress(paths, name, len(paths)):
        if not path.is_file():
            continue
        seen = await lines.look(path, _SHIPPED)
        count["pictures"] += bool(seen)
        for way, one in seen.items():
            count[way] += not len(one.faces)
            count[f"faces, {way}"] += len(one.faces)
    total = count["pictures"]
    report.table(
        f"{name}: pictures without a face, of {total}; faces",
        ["", *WAYS],
        [
            (
                "failure to acquire",
                *(f"{count[way]} ({wilson(count[way], total):.1%})" for way in WAYS),
            ),
            ("faces", *(str(count[f"faces, {way}"]) for way in WAYS)),
        ],
    )
    report.values[name] = dict(count)


def _half(path: str) -> str:
    """Returns which half of the scenes a picture belongs to."""
    return _HALVES[hashlib.sha256(f"scenes/{path}".encode()).digest()[0] % 2]


if __name__ == "__main__":
    run(main)
