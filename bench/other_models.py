"""The embedding models that can be chosen, by group of people: TAR, and the false matches at one threshold for all.

The most central face of every lent picture is cropped once by the server's own steps, and each model embeds the same crops. A group's
pairs are all pairs of its pictures of one sex: those that the lent table trusts. The threshold is the one that a share of 1e-3 of all pairs of
different people of LFW reaches: one number for everyone, as an operator would set it. Intervals are bootstrapped over people.
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.face_crops import FaceCrops, face_crops
from bench.faces_seen import CACHE
from bench.intervals import (
    ScoredPairs,
    bootstrap_fmr,
    bootstrap_tar,
    tar_at_fmr,
    threshold_at_fmr,
)
from bench.report import Report, parser, run
from facewire_server.app.values import read_model_contract
from facewire_server.evaluation.intervals import Interval
from facewire_server.models import open_models
from harness import REPOSITORY, pictures

__all__: list[str] = []

_MODELS: Final = ("sface", "facenet_vggface2", "facenet_casia")
_GROUPS: Final = ("asian", "black", "south_asian", "white")
_FMRS: Final = (1e-2, 1e-3)
_LFW_STEP: Final = 2
"""Every second picture of LFW: 400,000 pairs of different people suffice for the thresholds, and FaceNet is slow."""
_LFW_FMR: Final = 1e-3
_CALIBRATED_FMRS: Final = (1e-2, 1e-3, 1e-4)
"""Rates of the calibration that a contract states; the pairs of the rarest are 40."""
AIM_RATIO: Final = 1 / 3
"""Most of FaceNet's FMR of a group that SFace may have, at the threshold. Chosen, not measured."""


class _Labels(NamedTuple):
    """Who is on each picture: by path, and the pictures of each group and sex."""

    people: dict[str, int]
    lfw: list[str]
    groups: dict[str, list[list[str]]]


class _OnLfw(NamedTuple):
    """The threshold of one model, found on LFW, the TAR there at FMR 1e-3, and the calibration that its contract states.

    Attributes:
        mean, spread: of the similarities of different people.
        points: FMR, similarity, upper end of the FMR's 95 % interval over people.
    """

    mated: int
    non_mated: int
    threshold: float
    tar: float
    mean: float
    spread: float
    points: list[tuple[float, float, float]]


class _Rates(NamedTuple):
    """The results of one model for one group."""

    mated: int
    non_mated: int
    tar: dict[float, tuple[float, Interval]]
    fmr: float
    fmr_interval: Interval
    tar_there: float


def main() -> int:
    flags = parser("other_models", __doc__)
    flags.add_argument("--models", nargs="+", default=list(_MODELS), help="model contracts")
    flags.add_argument("--cache", type=Path, default=CACHE, help="folder of the crops")
    arguments = flags.parse_args()
    return asyncio.run(_measure(Report("other_models", arguments), arguments))


async def _measure(report: Report, arguments: argparse.Namespace) -> int:
    labels = _labels()
    paths = [Path(path) for path in labels.people]
    crops: FaceCrops | None = None
    by_model: dict[str, dict[str, _Rates]] = {}
    on_lfw: dict[str, _OnLfw] = {}
    for name in arguments.models:
        async with open_models(
            read_model_contract(name),
            folder=REPOSITORY / "models",
            threads=1,
            embed_frames="float32",
        ) as models:
            crops = crops or await face_crops(models.detector, paths, arguments.cache)
            embeddings, _ = await models.embedder.embed(crops.crops)
        rows = {path: row for row, path in enumerate(crops.paths)}
        on_lfw[name] = _on_lfw(_pairs(labels, rows, embeddings, [labels.lfw]))
        by_model[name] = {
            group: _of(
                _pairs(labels, rows, embeddings, labels.groups[group]), on_lfw[name].threshold
            )
            for group in _GROUPS
        }
    _tables(report, by_model, on_lfw)
    _aims(report, by_model)
    return report.finish()


def _labels() -> _Labels:
    names: dict[str, int] = {}
    people: dict[str, int] = {}
    folder = pictures.folder("verify")
    rows = pictures.rows(folder / "pairs.csv")
    lfw = sorted({str(folder / row[end]) for row in rows for end in ("path_a", "path_b")})
    lfw = lfw[::_LFW_STEP]
    for path in lfw:
        people[path] = names.setdefault(Path(path).parent.name, len(names))
    folder = pictures.folder("groups")
    groups: dict[str, list[list[str]]] = {}
    of_sex: dict[tuple[str, str], list[str]] = {}
    for row in pictures.rows(folder / "images.csv"):
        picture = folder / row["path"]
        if row["use_in_pairs"] == "1" and picture.is_file():
            people[str(picture)] = names.setdefault(row["identity"], len(names))
            of_sex.setdefault((row["group"], row["sex"]), []).append(str(picture))
    for (group, _), found in of_sex.items():
        groups.setdefault(group, []).append(found)
    return _Labels(people, lfw, groups)


def _on_lfw(pairs: ScoredPairs) -> _OnLfw:
    non_mated = pairs.similarity[~pairs.mated]
    return _OnLfw(
        int(pairs.mated.sum()),
        len(non_mated),
        threshold_at_fmr(non_mated, _LFW_FMR),
        tar_at_fmr(pairs, _LFW_FMR),
        float(non_mated.mean()),
        float(non_mated.std()),
        [_point(pairs, non_mated, fmr) for fmr in _CALIBRATED_FMRS],
    )


def _point(
    pairs: ScoredPairs, non_mated: NDArray[np.float64], fmr: float
) -> tuple[float, float, float]:
    similarity = threshold_at_fmr(non_mated, fmr)
    return fmr, similarity, bootstrap_fmr(pairs, similarity).high


def _pairs(
    labels: _Labels,
    rows: dict[str, int],
    embeddings: NDArray[np.float32],
    sets: Sequence[Sequence[str]],
) -> ScoredPairs:
    """Returns all pairs within each set of pictures; those without a face are left out."""
    parts: list[tuple[NDArray, ...]] = []
    names: dict[int, int] = {}
    for each in sets:
        seen = [path for path in each if path in rows]
        vectors = embeddings[[rows[path] for path in seen]]
        who = np.array([names.setdefault(labels.people[path], len(names)) for path in seen])
        one, other = np.triu_indices(len(seen), k=1)
        scores = (vectors @ vectors.T)[one, other].astype(np.float64)
        parts.append((scores, who[one] == who[other], who[one], who[other]))
    return ScoredPairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _of(pairs: ScoredPairs, threshold: float) -> _Rates:
    above = pairs.similarity > threshold
    return _Rates(
        int(pairs.mated.sum()),
        int((~pairs.mated).sum()),
        {fmr: (tar_at_fmr(pairs, fmr), bootstrap_tar(pairs, fmr)) for fmr in _FMRS},
        float(above[~pairs.mated].mean()),
        bootstrap_fmr(pairs, threshold),
        float(above[pairs.mated].mean()),
    )


def _tables(
    report: Report, by_model: dict[str, dict[str, _Rates]], on_lfw: dict[str, _OnLfw]
) -> None:
    report.table(
        "LFW, all pairs; the calibration: similarity at an FMR (upper end of the FMR's interval)",
        [
            *("model", "mated", "non-mated", f"threshold at FMR {_LFW_FMR:g}", "TAR, %"),
            *("mean", "spread", *(f"{fmr:g}" for fmr in _CALIBRATED_FMRS)),
        ],
        [
            (
                *(name, lfw.mated, lfw.non_mated, f"{lfw.threshold:.3f}", f"{lfw.tar * 100:.2f}"),
                *(f"{lfw.mean:.4f}", f"{lfw.spread:.4f}"),
                *(f"{similarity:.3f} ({bound:.2g})" for _, similarity, bound in lfw.points),
            )
            for name, lfw in on_lfw.items()
        ],
    )
    report.table(
        f"TAR at two FMRs of the group's own; FMR and TAR at the threshold of FMR {_LFW_FMR:g} on LFW; in %",
        [
            *("group", "model", "mated", "non-mated", "TAR at 1e-2", "interval"),
            *("TAR at 1e-3", "interval", "FMR there", "interval", "TAR there"),
        ],
        [
            (
                *(group, name, rates.mated, rates.non_mated),
                *(
                    text
                    for tar, interval in rates.tar.values()
                    for text in (f"{tar * 100:.1f}", _percent(interval))
                ),
                *(f"{rates.fmr * 100:.3g}", _percent(rates.fmr_interval)),
                f"{rates.tar_there * 100:.1f}",
            )
            for group in _GROUPS
            for name, groups in by_model.items()
            for rates in (groups[group],)
        ],
    )
    report.values["lfw"] = {name: lfw._asdict() for name, lfw in on_lfw.items()}
    report.values["groups"] = {
        name: {group: rates._asdict() for group, rates in groups.items()}
        for name, groups in by_model.items()
    }


def _percent(interval: Interval) -> str:
    return f"{interval.low * 100:.3g}–{interval.high * 100:.3g}"


def _aims(report: Report, by_model: dict[str, dict[str, _Rates]]) -> None:
    ours = by_model.get("sface")
    for name in (one for one in by_model if ours and one.startswith("facenet")):
        theirs, fmr = by_model[name]["asian"].fmr, ours["asian"].fmr if ours else 0.0
        report.aim(
            f"asian: SFace's FMR at the threshold ≤ {AIM_RATIO:.0%} of {name}'s",
            f"{fmr:.2%} of {theirs:.2%}",
            met=fmr <= AIM_RATIO * theirs,
        )


if __name__ == "__main__":
    run(main)
