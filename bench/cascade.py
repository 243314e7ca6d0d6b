"""How the `mtcnn` servable differs from MTCNN as published: faces found by both, by one, and where.

Both see the same canvas of every lent scene, and faces of 20 px and more on it. The servable departs from the
paper on purpose (decision 13); this is the price and the gain of that, face by face.
"""

import asyncio
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.boxes import iou
from bench.intervals import wilson
from bench.plain_mtcnn import PlainMtcnn
from bench.report import Report, parser, progress, run
from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.pipeline.detect import CANVAS_MIN_FACE_PX, Detector
from facewire_server.types import DetectionOptions
from harness import REPOSITORY, pictures

__all__: list[str] = []

_OPTIONS: Final = DetectionOptions(min_score=0.7, max_faces=1024, short_side_fraction=1 / 16)
_SHORT_SIDE_PX: Final = 480
_LONGEST_SIDE_PX: Final = 1280
_SURE: Final = 0.9
_SAME_FACE_IOU: Final = 0.5


def main() -> int:
    flags = parser("cascade", __doc__)
    flags.add_argument("--scenes", type=int, default=0, help="scenes; 0 = all")
    arguments = flags.parse_args()
    folder = pictures.folder("scenes")
    rows = pictures.evenly(pictures.rows(folder / "scenes.csv"), arguments.scenes)
    model = OpenVinoModel(REPOSITORY / "models" / "mtcnn", threads=2)
    ours, theirs = Detector(model), PlainMtcnn(CANVAS_MIN_FACE_PX)
    found = []
    for row in progress(rows, "scenes", len(rows)):
        canvas = _canvas(folder / row["path"])
        if canvas is None:
            continue  # no picture: some scenes are there to be refused
        faces = asyncio.run(ours.detect(canvas, _OPTIONS))
        found.append((np.hstack([faces.boxes, faces.scores[:, None]]), theirs.detect(canvas)))
    model.close()
    report = Report("cascade", arguments)
    _print(report, found)
    return report.finish()


def _canvas(path: Path) -> NDArray[np.uint8] | None:
    image = cv2.imread(str(path))
    if image is None:
        return None
    scale = min(_SHORT_SIDE_PX / min(image.shape[:2]), _LONGEST_SIDE_PX / max(image.shape[:2]))
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    return cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)


def _print(report: Report, found: list[tuple[NDArray, NDArray]]) -> None:
    lines = []
    for name, sure, other in (
        ("published", [theirs for _, theirs in found], [ours for ours, _ in found]),
        ("servable", [ours for ours, _ in found], [theirs for _, theirs in found]),
    ):
        pairs = [_matched(one, two) for one, two in zip(sure, other, strict=True)]
        overlap, difference = (np.concatenate(part) for part in zip(*pairs, strict=True))
        met = int((overlap > 0).sum())
        close = int(((overlap >= 0.9) & (difference <= 0.02)).sum())
        low, high = wilson(met, len(overlap))
        report.values[name] = {"faces": len(overlap), "met": met, "close": close}
        lines.append(
            (
                name,
                len(overlap),
                f"{met} ({low:.1%}-{high:.1%})",
                f"{close}",
                f"{np.median(overlap[overlap > 0]):.3f}",
            )
        )
    columns = ["cascade", "sure of", "found by the other", "IoU >= 0.9, score +-0.02", "median IoU"]
    report.table(f"faces above {_SURE} on {len(found)} scenes", columns, lines)


def _matched(sure: NDArray, other: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each face above `_SURE` its best unclaimed counterpart: IoU (0 = none), score difference."""
    sure = sure[sure[:, 4] > _SURE]
    sure = sure[np.argsort(-sure[:, 4], kind="stable")]
    overlap, difference = np.zeros(len(sure)), np.ones(len(sure))
    if not len(other):
        return overlap, difference
    open_overlaps = iou(sure, other)
    for row in range(len(sure)):
        best = int(open_overlaps[row].argmax())
        if open_overlaps[row, best] >= _SAME_FACE_IOU:
            overlap[row] = open_overlaps[row, best]
            difference[row] = abs(sure[row, 4] - other[best, 4])
            open_overlaps[:, best] = 0.0
    return overlap, difference


if __name__ == "__main__":
    run(main)
