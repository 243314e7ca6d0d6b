"""Compares served models with the embedded engine: faces, embeddings, decisions.

The server's own line runs in this process twice, over OpenVINO and over the local model server (TensorFlow,
a process for each servable), on the lent scenes and pictures of LFW. The people of every second LFW picture are the gallery,
as the embedded engine sees them.
"""

import asyncio
import contextlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.boxes import iou
from bench.report import Report, parser, progress, run
from facewire_server import model_contracts
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.errors import ServerError
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.models import Models, open_models
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.pipeline.match import candidates_needed, comparable, decisions
from facewire_server.proof.model_contract import ModelContract
from facewire_server.types import (
    Decision,
    DecisionPolicy,
    DetectionOptions,
    Faces,
    Outcome,
    Picture,
    PictureLimits,
    Quality,
)
from harness import REPOSITORY, pictures
from harness.model_servers import model_servers

__all__: list[str] = []

_DETECTION: Final = DetectionOptions(min_score=0.7, max_faces=1024, short_side_fraction=1 / 32)
_POLICY: Final = DecisionPolicy(threshold=0.42, min_margin=0.03, min_inter_eye_px=8.0)
_GATE: Final = Gate(QualityLimits(min_inter_eye_px=_POLICY.min_inter_eye_px))
_LIMITS: Final = PictureLimits(max_frame_bytes=1 << 26, max_pixels=1 << 27)
_SURE: Final = 0.9
_SAME_BOX_IOU: Final = 0.95
_DOUBT: Final = 1e-3


@dataclass(frozen=True, slots=True)
class _Seen:
    """The result of one of the two lines for one picture."""

    faces: Faces
    qualities: list[Quality]
    crops: NDArray[np.uint8]
    embeddings: NDArray[np.float32]


def main() -> int:
    flags = parser("parity", __doc__)
    flags.add_argument("--lfw", type=int, default=300, help="pictures of LFW; 0 = all")
    flags.add_argument("--scenes", type=int, default=0, help="scenes; 0 = all")
    arguments = flags.parse_args()
    scenes = [
        pictures.folder("scenes") / row["path"]
        for row in pictures.rows(pictures.folder("scenes") / "scenes.csv")
    ]
    lfw = sorted((pictures.folder("verify") / "lfw").rglob("*.jpg"))
    chosen = pictures.evenly(scenes, arguments.scenes), pictures.evenly(lfw, arguments.lfw)
    report = Report("parity", arguments)
    asyncio.run(_compare(report, *chosen))
    return report.finish()


async def _compare(report: Report, scenes: list[Path], lfw: list[Path]) -> None:
    contract = ModelContract.from_json(
        (Path(model_contracts.__path__[0]) / "sface.json").read_text(encoding="utf-8")
    )
    with (
        model_servers("mtcnn", "embedding") as (mtcnn, embedding),
        ThreadPoolExecutor(2) as threads,
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(
            LmdbGallery(
                Path(folder),
                vector_search=ExactSearch(),
                model_contract_id=contract.id,
                dimension=contract.dimension,
            )
        ) as gallery,
    ):
        async with (
            _line(contract) as embedded,
            _line(contract, mtcnn.address, embedding.address) as served,
        ):
            pairs: list[tuple[Path, _Seen, _Seen]] = []
            same_crops: list[NDArray[np.float64]] = []
            for path in progress([*scenes, *lfw], "pictures", len(scenes) + len(lfw)):
                try:
                    one = await _see(embedded, path, threads)
                except ServerError:
                    continue  # not a picture that the server accepts
                other = await _see(served, path, threads)
                pairs.append((path, one, other))
                again, _ = await served.embedder.embed(one.crops)
                same_crops.append(_cosines(one.embeddings, again))
        for path, one, _ in pairs:
            if path in set(lfw[::2]) and len(one.faces):
                await _enroll(gallery, path.parent.name, one.embeddings[:1])
        decided = [
            (await _decide(gallery, one), await _decide(gallery, other)) for _, one, other in pairs
        ]
        _report(report, pairs, np.concatenate(same_crops), decided)


@contextlib.asynccontextmanager
async def _line(
    contract: ModelContract, mtcnn: str = "", embedding: str = ""
) -> AsyncIterator[Models]:
    async with open_models(
        contract,
        folder=REPOSITORY / "models",
        threads=2,
        addresses={"detector_address": mtcnn, "embedder_address": embedding},
    ) as models:
        for model in models.served:
            await model.check()
        yield models


async def _see(models: Models, path: Path, threads: ThreadPoolExecutor) -> _Seen:
    finder = FaceFinder(
        models.detector, limits=_LIMITS, threads=threads, follower=lambda: models.follower
    )
    found = await finder.find(Picture(path.read_bytes()), _DETECTION)
    embeddings, _ = await models.embedder.embed(found.crops)
    return _Seen(found.faces, found.qualities, found.crops, embeddings)


async def _enroll(gallery: LmdbGallery, identity: str, embedding: NDArray[np.float32]) -> None:
    template = f"{np.frombuffer(embedding.tobytes()[:16], '<u8')[0]:032x}"
    await gallery.enroll(
        "default",
        NewIdentity(identity, create=True),
        [EnrollmentResult(template, quality=Quality(50.0, 1.0, 1.0), box=(0.0, 0.0, 1.0, 1.0))],
        embedding,
    )


def _cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    cosines: NDArray[np.float64] = (one.astype(np.float64) * other).sum(axis=1)
    return cosines


async def _decide(gallery: LmdbGallery, seen: _Seen) -> list[Decision]:
    due = comparable([_GATE.examine(quality).quality for quality in seen.qualities])
    found = await gallery.search("default", seen.embeddings[due], candidates_needed(_POLICY))
    return decisions(found, due, _POLICY)


def _report(
    report: Report,
    pairs: list[tuple[Path, _Seen, _Seen]],
    same_crops: NDArray[np.float64],
    decided: list[tuple[list[Decision], list[Decision]]],
) -> None:
    count: Counter[str] = Counter()
    cosines, overlaps, missed = [], [], []
    for (path, one, other), (first, second) in zip(pairs, decided, strict=True):
        shared = iou(one.faces.boxes, other.faces.boxes)
        for mine, theirs, rows in ((one, other, shared), (other, one, shared.T)):
            sure = mine.faces.scores > _SURE
            hit = rows.max(axis=1, initial=0.0) >= _SAME_BOX_IOU
            count["sure"] += int(sure.sum())
            count["both"] += int((sure & hit).sum())
            if (sure & ~hit).any():
                missed.append((path.name, len(mine.faces), len(theirs.faces)))
        for row in np.flatnonzero(one.faces.scores > _SURE):
            if not len(other.faces) or shared[row].max() < _SAME_BOX_IOU:
                continue
            column = int(shared[row].argmax())
            overlaps.append(shared[row, column])
            cosines.append(float(one.embeddings[row].astype(np.float64) @ other.embeddings[column]))
            count[_agreement(first[row], second[column])] += 1
    _print(report, len(pairs), count, np.array(cosines), np.array(overlaps), same_crops)
    report.values["pictures_with_a_difference"] = sorted(set(missed))


def _agreement(one: Decision, other: Decision) -> str:
    if (one.outcome, _name(one)) == (other.outcome, _name(other)):
        return "same"
    near = any(
        abs(decision.best.similarity - decision.threshold) <= _DOUBT
        or abs(decision.margin - _POLICY.min_margin) <= _DOUBT
        for decision in (one, other)
        if decision.best
    )
    return "within 1e-3" if near else "other"


def _name(decision: Decision) -> str:
    """Returns the identity of a KNOWN face, else "": for other outcomes the nearest identity does not matter."""
    known = decision.best if decision.outcome is Outcome.KNOWN else None
    return known.identity_id if known else ""


def _print(
    report: Report,
    pictures_seen: int,
    count: Counter[str],
    cosines: NDArray[np.float64],
    overlaps: NDArray[np.float64],
    same_crops: NDArray[np.float64],
) -> None:
    share = count["both"] / count["sure"]
    report.table(
        f"embedded (OpenVINO) against served (TensorFlow), {pictures_seen} pictures",
        ["", "lowest", "1 %", "median"],
        [
            (
                name,
                f"{values.min():.6f}",
                f"{np.quantile(values, 0.01):.6f}",
                f"{np.median(values):.6f}",
            )
            for name, values in (
                ("IoU of the same face", overlaps),
                ("cosine, each line's own crop", cosines),
                ("cosine, the same crop", same_crops),
            )
        ],
    )
    decisions = {kind: count[kind] for kind in ("same", "within 1e-3", "other")}
    report.note(f"faces above {_SURE}, of both: {count['sure']}; decisions: {decisions}\n")
    report.values |= {
        "pictures": pictures_seen,
        "faces_of_both": count["sure"],
        "same_share": share,
        "cosine_lowest": cosines.min(),
        "cosine_below_0.9999": int((cosines < 0.9999).sum()),
        "cosine_same_crop_lowest": same_crops.min(),
        "decisions": decisions,
    }
    report.aim(
        f"the same faces (IoU ≥ {_SAME_BOX_IOU}) for ≥ 98 %", f"{share:.2%}", met=share >= 0.98
    )
    report.aim(
        "embeddings of the same crop: cosine ≥ 0.9999",
        f"≥ {same_crops.min():.6f}, {len(same_crops)} faces",
        met=same_crops.min() >= 0.9999,
    )
    report.aim(
        "embeddings of the same face: cosine ≥ 0.9999",
        f"≥ {cosines.min():.6f}; {int((cosines < 0.9999).sum())} of {len(cosines)} below",
        met=cosines.min() >= 0.9999,
    )
    report.aim(
        "the same decision, or within 1e-3 of a limit",
        f"{decisions['other']} others of {len(cosines)}",
        met=not decisions["other"],
    )


if __name__ == "__main__":
    run(main)
