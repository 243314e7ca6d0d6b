"""Embeddings of frames in bfloat16 against float32: cosines, accuracy, decisions, processor time.

The most central face of every lent picture is cropped once by the server's own steps. The embedder embeds each crop as a frame, in
bfloat16, and exactly, and with its mirror image, as a template. Then: by how much a similarity to a template changes, against the bound
that the model contract states; accuracy on the pairs of LFW and of the groups; and the decisions in galleries that are drawn from all
people: exact, in bfloat16, and in bfloat16 with those embedded again that `is_near` names. The last must all be the exact ones.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.face_crops import face_crops
from bench.faces_seen import CACHE
from bench.intervals import threshold_at_fmr
from bench.line_embeddings import default_policy
from bench.near_decisions import DRAWS, Embedded, decision_agreement, fault_agreement
from bench.report import Report, parser, run
from facewire_server.app.values import probe_gate, read_model_contract
from facewire_server.configuration.settings import Settings
from facewire_server.models import Models, open_models
from facewire_server.pipeline.embed import FrameError
from facewire_server.work.breadth import working
from harness import REPOSITORY, pictures

__all__: list[str] = []

_SIZES: Final = (10, 50, 300, 1000)
_FMR: Final = 0.01
_AT: Final = 0.42
_BATCH: Final = 8
"""Crops of the larger of the two timed calls: the most faces that a frame usually shows. Chosen, not measured."""

_TIMINGS: Final = 20


def main() -> int:
    flags = parser("frame_precision", __doc__)
    flags.add_argument("--limit", type=int, default=0, help="use this many pictures only")
    flags.add_argument("--cache", type=Path, default=CACHE, help="folder of the crops")
    arguments = flags.parse_args()
    paths = [
        path
        for name in ("verify", "groups")
        for path in sorted(pictures.folder(name).rglob("*.jpg"))
    ]
    return asyncio.run(_measure(Report("frame_precision", arguments), paths, arguments))


async def _measure(report: Report, paths: Sequence[Path], arguments: argparse.Namespace) -> int:
    contract = read_model_contract("sface")
    if contract.bfloat16 is None:
        raise RuntimeError("the model contract states nothing of bfloat16")
    async with open_models(
        contract, folder=REPOSITORY / "models", threads=2, embed_frames="bfloat16"
    ) as models:
        chosen = pictures.evenly(paths, arguments.limit)
        kept = await face_crops(models.detector, chosen, arguments.cache)
        embedded = await _embed(models, kept.crops)
        _print_error(report, embedded, contract.upside_down, contract.bfloat16.frame_error)
        _print_accuracy(report, kept.paths, embedded)
        await _print_times(report, models, kept.crops)
    _print_decisions(report, kept.paths, embedded, contract.bfloat16.frame_error)
    return report.finish()


async def _embed(models: Models, crops: NDArray[np.uint8]) -> Embedded:
    frames = await models.embedder.embed(crops, exact=False)
    exact = await models.embedder.embed(crops)
    templates = await models.embedder.embed_mirrored(crops)
    return Embedded(*frames, *exact, templates.embeddings)


def _print_error(
    report: Report,
    embedded: Embedded,
    upside_down: NDArray[np.float32] | None,
    bound: FrameError,
) -> None:
    cosines = np.einsum("nd,nd->n", embedded.frames, embedded.exact)
    others = embedded.templates
    if upside_down is not None:
        others = np.concatenate([others, upside_down[None]])
    changes = np.abs((embedded.frames - embedded.exact) @ others.T)
    norms = np.abs(embedded.frame_norms / embedded.exact_norms - 1)
    found = {
        "crops": len(cosines),
        "cosine_min": float(cosines.min()),
        "cosine_mean": float(cosines.mean()),
        "similarity_change_max": float(changes.max()),
        "similarity_change_p999": float(np.quantile(changes, 0.999)),
        "similarity_change_p99": float(np.quantile(changes, 0.99)),
        "norm_change_max": float(norms.max()),
        "norm_change_p99": float(np.quantile(norms, 0.99)),
    }
    report.values |= found
    report.table(
        f"{len(cosines)} crops, {changes.size / 1e6:.1f} million similarities to templates",
        ["bfloat16 against float32", ""],
        [(name, f"{value:.5f}") for name, value in found.items() if name != "crops"],
    )
    report.aim(
        f"change of a similarity ≤ {bound.similarity}, as the model contract states",
        f"{changes.max():.4f}",
        met=float(changes.max()) <= bound.similarity,
    )
    report.aim(
        f"change of a norm ≤ {bound.norm}",
        f"{norms.max():.4f}",
        met=float(norms.max()) <= bound.norm,
    )


def _print_accuracy(report: Report, paths: Sequence[str], embedded: Embedded) -> None:
    """Compares probes with templates: those of bfloat16 and the exact ones."""
    rows = {path: row for row, path in enumerate(paths)}
    lines = []
    for name in ("verify", "groups"):
        folder = pictures.folder(name)
        pairs = [
            (
                rows[str(folder / r["path_a"])],
                rows[str(folder / r["path_b"])],
                r["same"],
                r.get("group"),
            )
            for r in pictures.rows(folder / "pairs.csv")
            if {str(folder / r["path_a"]), str(folder / r["path_b"])} <= rows.keys()
        ]
        for group in sorted({str(pair[3] or "LFW") for pair in pairs}):
            chosen = [pair for pair in pairs if str(pair[3] or "LFW") == group]
            mated = np.array([pair[2] == "1" for pair in chosen])
            cells: list[str] = []
            for probes in (embedded.exact, embedded.frames):
                scores = np.array([float(probes[a] @ embedded.templates[b]) for a, b, *_ in chosen])
                right = float(((scores >= _AT) == mated).mean())
                tar = float((scores[mated] >= threshold_at_fmr(scores[~mated], _FMR)).mean())
                cells += [f"{right:.4%}", f"{tar:.4%}"]
            report.values[f"accuracy_{group}"] = cells
            lines.append((group, str(len(chosen)), *cells))
    report.table(
        f"pairs: right at {_AT}, and TAR at FMR {_FMR:g}",
        ["", "pairs", "float32", "TAR", "bfloat16", "TAR"],
        lines,
    )


async def _print_times(report: Report, models: Models, crops: NDArray[np.uint8]) -> None:
    lines = []
    for count in (1, _BATCH):
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(_TIMINGS):
            for exact, spent in times.items():
                began_s = time.process_time()
                with working(lambda: False):  # one thread, as a frame has
                    await models.embedder.embed(crops[:count], exact=exact)
                spent.append((time.process_time() - began_s) * 1e3 / count)
        exact_ms, frame_ms = float(np.median(times[True])), float(np.median(times[False]))
        report.values[f"ms_{count}"] = {"float32": exact_ms, "bfloat16": frame_ms}
        lines.append((str(count), exact_ms, frame_ms, f"{frame_ms / exact_ms:.2f}"))
    report.table(
        "processor time a face, ms, one thread",
        ["faces together", "float32", "bfloat16", "ratio"],
        lines,
    )


def _print_decisions(
    report: Report, paths: Sequence[str], embedded: Embedded, error: FrameError
) -> None:
    gate = probe_gate(Settings(), read_model_contract("sface"))
    people: dict[str, list[int]] = {}
    for row, path in enumerate(paths):
        people.setdefault(str(Path(path).parent), []).append(row)
    policy, lines, remain = default_policy(), [], 0
    for size in _SIZES:
        if size >= len(people):
            continue
        found = decision_agreement(embedded, list(people.values()), size, policy, error)
        remain += found.remain
        report.values[f"gallery_{size}"] = found._asdict()
        share = f"{found.again / found.looks:.2%}"
        lines.append((str(size), str(found.looks), str(found.differ), share, str(found.remain)))
    report.table(
        f"decisions in {DRAWS} galleries of each size, one template a person",
        ["people", "looks", "bfloat16 differs", "embedded again", "differs then"],
        lines,
    )
    faults = fault_agreement(gate, embedded, error)
    report.values["faults"] = faults._asdict()
    report.table(
        "faults of the quality gate by norm and upside-down",
        ["", "looks", "bfloat16 differs", "embedded again", "differs then"],
        [("gate", *map(str, faults))],
    )
    remain += faults.remain
    report.aim("decisions that differ after float32 again: 0", str(remain), met=remain == 0)


if __name__ == "__main__":
    run(main)
