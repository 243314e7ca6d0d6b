"""From which similarity on two people of a gallery are taken for one, for the measurement `open_set`: who reaches it, by chance and rightly."""

from typing import Final

import numpy as np

from bench.report import Report
from facewire_server.evaluation.samples import Samples
from facewire_server.thresholds import Calibration
from facewire_server.thresholds.doubles import LEAST_DOUBLE, probable_double

__all__ = ["doubles"]

_PEOPLE: Final = (1000, 2000, 10_000, 100_000)


def doubles(report: Report, samples: Samples, calibration: Calibration) -> None:
    """Compares one picture of each person with that of each other one, and with another one of the same person."""
    rows = np.flatnonzero(samples.is_enrolled)
    people, first = np.unique(samples.person[rows], return_index=True)
    one_each = samples.templates[rows[first]]
    others = (one_each @ one_each.T)[np.triu_indices(len(people), 1)]
    rest = np.delete(rows, first)
    second_people, second = np.unique(samples.person[rest], return_index=True)
    own = samples.templates[rest[second]]
    same = (own * one_each[np.searchsorted(people, second_people)]).sum(axis=1)
    lines = []
    for count in (len(people), *_PEOPLE):
        bound = probable_double(count, calibration.similarity_at)
        share = float((same >= bound).mean())
        chance = int((others >= bound).sum())
        pairs = count * (count - 1) / 2
        at_least = calibration.fmr_at(LEAST_DOUBLE).value * pairs
        lines.append((f"{count:,}", f"{bound:.3f}", f"{at_least:.1f}", f"{chance}", f"{share:.1%}"))
        report.values[f"double among {count}"] = [bound, at_least, chance, share]
    reached = int((others >= LEAST_DOUBLE).sum())
    report.table(
        f"probable doubles; of {len(people)} people {reached} pairs reach {LEAST_DOUBLE}, and "
        f"{float((same >= LEAST_DOUBLE).mean()):.1%} of {len(same)} people under two names",
        ["people", "bound", "by chance at .5", "pairs here above", "people under two names above"],
        lines,
    )
