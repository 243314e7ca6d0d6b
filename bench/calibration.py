"""How often two different people are how similar: the calibration of a model contract, compared with what it states.

Each lent person of LFW is a probe of one picture and a template of another picture and its mirror image; each probe is compared with every other
person's template. Intervals are bootstrapped over people: all comparisons of a person that is drawn twice count twice.
Then a calibration is made of one half of the people, as `facewire-server calibrate` makes it, and held against the other half.
Beside it the error that a sample of a gallery's people adds to its threshold.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.gallery_sizes import lent_people
from bench.report import Report, parser, run
from facewire_server.app.values import read_model_contract
from facewire_server.evaluation.calibrating import calibrated, fmr_intervals
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.thresholds import Calibration, gallery_rule

__all__: list[str] = []

_HALVINGS: Final = 10
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
    _halves(report, people.probes[usable], templates)
    _sample_error(report, templates, calibration)
    report.values |= {"mean": mean, "spread": spread}
    return report.finish()


def _tail(report: Report, similarities: NDArray[np.float32], calibration: Calibration) -> None:
    count = len(similarities)
    stated = [point.similarity for point in calibration.points]
    intervals = fmr_intervals(similarities, stated, 0)
    lines = []
    for point, (low, high) in zip(calibration.points, intervals, strict=True):
        hits = int((similarities >= point.similarity).sum())
        rate = hits / (count * (count - 1))
        lines.append(
            (
                f"{point.similarity:.3f}",
                f"{point.fmr:.0e} (≤ {point.fmr_bound:.2g})",
                f"{hits}",
                f"{rate:.2e} ({low:.2e}–{high:.2e})",
            )
        )
        report.values[f"{point.similarity}"] = {"fmr": rate, "interval": [low, high]}
    report.table("FMR", ["similarity", "stated", " comparisons", "measured (95 %)"], lines)


def _halves(report: Report, probes: NDArray[np.float32], templates: NDArray[np.float32]) -> None:
    """Holds calibrations of random halves of the people against the other halves: the measured rate as a multiple of the stated one."""
    random = np.random.default_rng(0)
    ratios: dict[float, list[float]] = {}
    within = 0
    for halving in range(_HALVINGS):
        order = random.permutation(len(probes))
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        made = calibrated(probes[one], templates[one], halving).calibration
        similarities = probes[other] @ templates[other].T
        np.fill_diagonal(similarities, -2.0)
        for point in made.points:
            rate = float((similarities >= point.similarity).sum()) / (len(other) * (len(other) - 1))
            ratios.setdefault(point.fmr, []).append(rate / point.fmr)
            within += rate <= point.fmr_bound
    lines = []
    for fmr, found in ratios.items():
        least, middle, most = np.percentile(found, [0, 50, 100])
        lines.append((f"{fmr:.0e}", f"{middle:.2f} ({least:.2f}–{most:.2f})"))
        report.values[f"halves {fmr:.0e}"] = found
    report.table(
        f"Calibrated on half of the people, measured on the other, {_HALVINGS} times",
        ["stated FMR", "measured ÷ stated: median (least–most)"],
        lines,
    )
    of = sum(map(len, ratios.values()))
    report.note(f"{within} of {of} rates are within the stated bound\n")
    report.values["within the bound"] = [within, of]


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
