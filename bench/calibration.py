"""How often two different people are how similar: the calibration of a model contract, compared with what it states.

Each lent person of LFW is a probe of one picture and a template of another picture and its mirror image; each probe is compared with every other
person's template. Intervals are bootstrapped over people: all comparisons of a person that is drawn twice count twice.
Beside it the error that a sample of a gallery's people adds to its threshold.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.gallery_sizes import lent_people
from bench.report import Report, parser, run
from facewire_server.app.values import read_model_contract
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.thresholds import Calibration, gallery_rule

__all__: list[str] = []

_DRAWS: Final = 400
_SAMPLES: Final = (128, 256, 512)
_SAMPLE_DRAWS: Final = 60
_WANTED_FPIR: Final = 0.003


def main() -> int:
    flags = parser("calibration", __doc__)
    flags.add_argument("--people", type=int, default=0, help="use this many people only")
    flags.add_argument(
        "--embeddings", type=Path, help="file (.npz) that keeps the embeddings: biometric data"
    )
    arguments = flags.parse_args()
    people = lent_people(arguments.embeddings, arguments.people)
    calibration = read_model_contract("sface").calibration
    if calibration is None:
        raise ValueError("the model contract has no calibration")
    report = Report("calibration", arguments)
    usable = people.is_enrolled & people.is_comparable
    templates = people.templates[usable]
    similarities = people.probes[usable] @ templates.T
    np.fill_diagonal(similarities, -2.0)
    others = similarities[~np.eye(len(templates), dtype=bool)]
    mean, spread = float(others.mean()), float(others.std())
    report.note(
        f"{len(templates)} people, {len(others)} comparisons: mean {mean:.4f}, spread {spread:.4f}; "
        f"stated {calibration.mean:.4f}, {calibration.spread:.4f}\n"
    )
    _tail(report, similarities, calibration)
    _sample_error(report, templates, calibration)
    report.values |= {"mean": mean, "spread": spread}
    return report.finish()


def _tail(report: Report, similarities: NDArray[np.float32], calibration: Calibration) -> None:
    random = np.random.default_rng(0)
    count = len(similarities)
    weights = np.stack(
        [
            np.bincount(random.integers(0, count, count), minlength=count).astype(np.float32)
            for _ in range(_DRAWS)
        ]
    )
    comparisons = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
    lines = []
    for point in calibration.points:
        hits = similarities >= point.similarity
        rate = float(hits.sum() / (count * (count - 1)))
        drawn = ((weights @ hits.astype(np.float32)) * weights).sum(axis=1) / comparisons
        low, high = np.percentile(drawn, [2.5, 97.5])
        lines.append(
            (
                f"{point.similarity:.3f}",
                f"{point.fmr:.0e} (≤ {point.fmr_bound:.2g})",
                f"{int(hits.sum())}",
                f"{rate:.2e} ({low:.2e}–{high:.2e})",
            )
        )
        report.values[f"{point.similarity}"] = {"fmr": rate, "interval": [low, high]}
    report.table("FMR", ["similarity", "stated", " comparisons", "measured (95 %)"], lines)


def _sample_error(report: Report, templates: NDArray[np.float32], calibration: Calibration) -> None:
    random = np.random.default_rng(0)
    count = len(templates)
    lines = []
    for size in (one for one in _SAMPLES if one < count):
        thresholds = []
        for _ in range(_SAMPLE_DRAWS):
            rows = random.choice(count, size, replace=False)
            pairs = gallery_pairs(templates[rows], rows, templates[rows], rows)
            thresholds.append(gallery_rule(calibration, _WANTED_FPIR, count, pairs).threshold)
        lines.append((f"{size}", f"{np.std(thresholds):.4f}"))
        report.values[f"sample {size}"] = float(np.std(thresholds))
    report.table(f"The threshold from a sample of {count} people", ["sampled", "deviation"], lines)


if __name__ == "__main__":
    run(main)
