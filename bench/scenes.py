"""Detection on scenes: false faces, recall beside two peers, EXIF orientations, a crowd.

Everything goes through the running server's `Recognize`: at its shipped settings, and again with
`min_score` 0.7, the lowest, at which the cascade returns all its faces. The peers, which also return
all faces above 0.7, are plain MTCNN (the paper's cascade, smallest face 20 px) and OpenCV's YuNet, at full size.
A second server with `detector=dlib` (docs/dlib.md) is measured at its shipped settings, if dlib is installed.
"""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import grpc
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.boxes import found, iou
from bench.opencv_peer import OpenCvPipeline
from bench.plain_mtcnn import PlainMtcnn
from bench.report import Report, parser, progress, run
from bench.served_detector import ServedDetector, served_detector
from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from facewire_server.evaluation.intervals import wilson
from harness import pictures

__all__: list[str] = []

Detections: TypeAlias = NDArray[np.float64]
"""(n, 5) x1, y1, x2, y2, score."""

OURS: Final = "facewire"
OURS_LOWEST: Final = "at 0.7"
DLIB: Final = "dlib"
MTCNN: Final = "plain MTCNN"
YUNET: Final = "YuNet"

DRAWN: Final = {"hard_250_findwaldo.jpg", "hard_330_7.jpg", "hard_312_tweethog.png"}
"""Pictures without people in which faces are drawn."""

AIM_CROWD: Final = 100
CROWD_MIN_FACE_PX: Final = 10
_SMALLEST_PX: Final = 32
_TIMEOUT_S: Final = 60.0
_EXIF_ORIENTATION: Final = 0x0112


def main() -> int:
    arguments = parser("scenes", __doc__).parse_args()
    scenes, ancestor = pictures.folder("scenes"), pictures.folder("ancestor")
    report = Report("scenes", arguments)
    mtcnn, opencv = PlainMtcnn(), OpenCvPipeline()
    with contextlib.ExitStack() as servers:
        ours = served_detector(servers, "mtcnn", _TIMEOUT_S)
        stub = ours.stub
        detectors: dict[str, Callable[[Path], Detections]] = {
            OURS: lambda path: _faces(_recognize(stub, path.read_bytes())),
            OURS_LOWEST: lambda path: _faces(_recognize(stub, path.read_bytes(), min_score=0.7)),
            MTCNN: lambda path: mtcnn.detect(_read(path)),
            YUNET: lambda path: _yunet(opencv, path),
        }
        if find_spec("dlib"):
            other = served_detector(servers, "dlib", _TIMEOUT_S)
            detectors[DLIB] = lambda path: _faces(_recognize(other.stub, path.read_bytes()))
            _times(report, scenes, {OURS: ours, DLIB: other})
        _false_faces(report, scenes, detectors)
        _recall(report, scenes, detectors)
        _orientations(report, stub, scenes / "az_face" / "detection1.jpg")
        _crowd(report, stub, ancestor / "104faces.jpg")
    return report.finish()


def _times(report: Report, scenes: Path, served: dict[str, ServedDetector]) -> None:
    """Measures the processor time of a picture, in turns, on the annotated pictures."""
    paths = [scenes / name for name in json.loads((scenes / "boxes.json").read_text())]
    times: dict[str, list[float]] = {who: [] for who in served}
    for path in progress(paths, "times", len(paths)):
        data = path.read_bytes()
        for who, each in served.items():
            _recognize(each.stub, data)  # kernels are compiled for a new size
            before_s = each.processor_s
            _recognize(each.stub, data)
            times[who].append(each.processor_s - before_s)
    medians = {who: float(np.median(each)) for who, each in times.items()}
    report.table(
        f"processor time of a picture, s ({len(paths)} annotated pictures)",
        ["detector", "median", "most", "median ÷ facewire's"],
        [
            (who, f"{medians[who]:.2f}", f"{max(each):.2f}", f"{medians[who] / medians[OURS]:.1f}")
            for who, each in times.items()
        ],
    )
    report.values["processor_s"] = times


def _recognize(
    stub: recognition_pb2_grpc.RecognitionServiceStub,
    data: bytes,
    *,
    min_face_px: int = 0,
    min_score: float | None = None,
) -> recognition_pb2.RecognizeResponse:
    request = recognition_pb2.RecognizeRequest(
        image=face_pb2.Image(data=data),
        detection=face_pb2.DetectionOptions(min_face_px=min_face_px, min_score=min_score),
    )
    try:
        answer: recognition_pb2.RecognizeResponse = stub.Recognize(request, timeout=_TIMEOUT_S)
    except grpc.RpcError as error:
        raise RuntimeError(f"Recognize: {error.code()}: {error.details()}") from error
    return answer


def _faces(answer: recognition_pb2.RecognizeResponse) -> Detections:
    boxes = [
        (f.box.x_px, f.box.y_px, f.box.x_px + f.box.width_px, f.box.y_px + f.box.height_px)
        for f in answer.faces
    ]
    rows = [(*box, f.detection_score) for box, f in zip(boxes, answer.faces, strict=True)]
    return np.array(rows, np.float64).reshape(-1, 5)


def _read(path: Path) -> NDArray[np.uint8]:
    return np.ascontiguousarray(_bgr(path)[..., ::-1], np.uint8)


def _bgr(path: Path) -> cv2.typing.MatLike:
    image = cv2.imread(str(path))
    if image is None:
        raise pictures.MissingPictures(f"{path.name} cannot be read")
    return image


def _yunet(opencv: OpenCvPipeline, path: Path) -> Detections:
    faces = opencv.detect(_bgr(path)).astype(np.float64)
    return np.hstack([faces[:, :2], faces[:, :2] + faces[:, 2:4], faces[:, 14:15]])


def _false_faces(
    report: Report, scenes: Path, detectors: dict[str, Callable[[Path], Detections]]
) -> None:
    """Counts faces found on pictures without people."""
    paths = sorted((scenes / "noface").iterdir())
    scores = {
        path.name: {name: detect(path)[:, 4] for name, detect in detectors.items()}
        for path in progress(paths, "noface", len(paths))
    }
    for title, names in (
        ("false faces: pictures without people", sorted(scores.keys() - DRAWN)),
        ("faces found on drawings", sorted(scores.keys() & DRAWN)),
    ):
        lines = [(name, scores[name]) for name in names if any(map(len, scores[name].values()))]
        total = {who: str(sum(len(scores[name][who]) for name in names)) for who in detectors}
        report.table(
            f"{title} ({len(names)} pictures; those without any left out)",
            ["picture", *detectors, "scores"],
            [
                *(
                    (name, *(str(len(by[who])) for who in detectors), _shown(by[OURS_LOWEST]))
                    for name, by in lines
                ),
                ("all", *total.values(), ""),
            ],
        )
        if names[0] not in DRAWN:
            report.aim("no face on pictures without people", total[OURS], met=total[OURS] == "0")
        report.values["drawn" if names[0] in DRAWN else "noface"] = {
            "pictures": len(names),
            "faces": {who: int(count) for who, count in total.items()},
            "by_picture": {name: np.round(by[OURS], 3).tolist() for name, by in lines},
        }


def _shown(scores: NDArray[np.float64]) -> str:
    return " ".join(f"{score:.3f}" for score in scores[:6]) + (" …" if len(scores) > 6 else "")


def _recall(
    report: Report, scenes: Path, detectors: dict[str, Callable[[Path], Detections]]
) -> None:
    """Counts annotated faces of 32 px and more that were found, by picture and in total."""
    truth = json.loads((scenes / "boxes.json").read_text())
    lines, sums = [], dict.fromkeys(detectors, 0)
    extra = dict.fromkeys(detectors, 0)
    count = 0
    for name, boxes in progress(truth.items(), "boxes", len(truth)):
        faces = np.array([(b["x"], b["y"], b["x"] + b["w"], b["y"] + b["h"]) for b in boxes], float)
        # The longer side, a face's height, is the size in WIDER FACE's sense.
        wanted = (faces[:, 2:] - faces[:, :2]).max(axis=1) >= _SMALLEST_PX
        wanted &= ~np.array([bool(box["invalid"]) for box in boxes])
        if not wanted.any():
            continue
        count += int(wanted.sum())
        line = [name, str(wanted.sum())]
        for who, detect in detectors.items():
            detected = detect(scenes / name)
            # Smaller and doubtful faces take part in the matching, so that no detection of them counts for a large one.
            hits = int(found(detected, faces)[wanted].sum())
            sums[who] += hits
            extra[who] += int((iou(detected, faces).max(axis=1) < 0.3).sum())
            line.append(str(hits))
        lines.append(line)
    shares = [f"{sums[who] / count:.1%} ({wilson(sums[who], count):.0%})" for who in detectors]
    report.table(
        f"faces of {_SMALLEST_PX} px and more found (IoU ≥ 0.5)",
        ["picture", "faces", *detectors],
        [
            *lines,
            ["all", str(count), *map(str, sums.values())],
            ["recall", "", *shares],
            ["on no known face", "", *map(str, extra.values())],
        ],
    )
    report.values["recall"] = {"faces": count, "found": sums, "on_no_known_face": extra}
    report.aim(
        "recall at min_score 0.7 not below plain MTCNN's",
        f"{sums[OURS_LOWEST]} and {sums[MTCNN]} of {count}",
        met=sums[OURS_LOWEST] >= sums[MTCNN],
    )


def _orientations(
    report: Report, stub: recognition_pb2_grpc.RecognitionServiceStub, portrait: Path
) -> None:
    """Recognizes the same picture, stored in each of the eight EXIF orientations."""
    upright = Image.open(portrait).convert("RGB")
    files = list(_stored_in_each_orientation(upright))
    reference = _faces(_recognize(stub, files[0]))
    lines = []
    for orientation, data in enumerate(files, start=1):
        answer = _recognize(stub, data)
        faces = _faces(answer)
        same = stub.Compare(
            recognition_pb2.CompareRequest(
                first=face_pb2.Image(data=files[0]), second=face_pb2.Image(data=data)
            ),
            timeout=_TIMEOUT_S,
        ).similarity
        overlap = float(iou(faces[:1], reference[:1]).max()) if len(faces) else 0.0
        size = f"{answer.width_px}×{answer.height_px}"
        lines.append((str(orientation), size, str(len(faces)), overlap, same))
    report.table(
        f"one portrait ({portrait.name}) in the eight EXIF orientations",
        ["orientation", "upright size", "faces", "IoU", "similarity"],
        [(one, size, n, f"{overlap:.3f}", f"{same:.4f}") for one, size, n, overlap, same in lines],
    )
    worst = min(line[3] for line in lines), min(line[4] for line in lines)
    alike = len({(line[1], line[2]) for line in lines}) == 1
    report.values["exif"] = {"lowest_iou": worst[0], "lowest_similarity": worst[1]}
    report.aim(
        "the same face in all eight orientations (IoU ≥ 0.98, similarity ≥ 0.99)",
        f"IoU ≥ {worst[0]:.3f}, similarity ≥ {worst[1]:.4f}",
        met=alike and worst[0] >= 0.98 and worst[1] >= 0.99,
    )


def _stored_in_each_orientation(upright: Image.Image) -> Iterator[bytes]:
    """Yields JPEG files whose pixels are turned and whose EXIF orientation (1 to 8) turns them back.

    Of the highest quality and with full chroma: coarser ones differ by how they were stored.
    """
    turn = Image.Transpose
    stored_by = (
        *(None, turn.FLIP_LEFT_RIGHT, turn.ROTATE_180, turn.FLIP_TOP_BOTTOM),
        *(turn.TRANSPOSE, turn.ROTATE_90, turn.TRANSVERSE, turn.ROTATE_270),
    )
    for orientation, how in enumerate(stored_by, start=1):
        exif = Image.Exif()
        exif[_EXIF_ORIENTATION] = orientation
        file = io.BytesIO()
        stored = upright if how is None else upright.transpose(how)
        stored.save(file, "JPEG", quality=100, subsampling=0, exif=exif)
        yield file.getvalue()


def _crowd(report: Report, stub: recognition_pb2_grpc.RecognitionServiceStub, path: Path) -> None:
    """Counts faces found in a crowd of about 104, for ever smaller `min_face_px`."""
    data = path.read_bytes()
    counts = {
        size: len(_recognize(stub, data, min_face_px=size).faces)
        for size in (0, 20, 16, 14, 12, CROWD_MIN_FACE_PX, 8)
    }
    report.table(
        path.name,
        ["min_face_px", *("default" if size == 0 else str(size) for size in counts)],
        [["faces", *map(str, counts.values())]],
    )
    report.values["crowd"] = counts
    report.aim(
        f"{path.name}: ≥ {AIM_CROWD} faces with a small enough min_face_px",
        f"{max(counts.values())} at {max(counts, key=lambda size: counts[size])} px",
        met=max(counts.values()) >= AIM_CROWD,
    )


if __name__ == "__main__":
    run(main)
