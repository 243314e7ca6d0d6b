"""What visits came to, counted by person."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.visit_judged import Visit
from facewire_server.evaluation.intervals import Interval, bootstrap_share

__all__ = ["Counts", "Visits", "counted", "mean_threshold", "share", "sums"]

Visits = Iterator[tuple[str, Visit]]
"""People and their visits."""


@dataclass
class Counts:
    """Visits of one person, summed over all galleries that were drawn."""

    visits: int = 0
    by_one_look: float = 0.0
    right_by_one_look: float = 0.0
    by_frame: int = 0
    by_verdict: int = 0
    right: int = 0
    unknown: int = 0
    retractions: int = 0
    thresholds: float = 0.0
    looks: list[int] = field(default_factory=list)

    def add(self, seen: Visit, name: str) -> None:
        """Counts a visit of the person `name`; "" = a stranger."""
        wrong = [each not in ("", name) for each in seen.frame_names]
        self.visits += 1
        self.by_one_look += sum(wrong) / len(wrong)
        self.right_by_one_look += seen.frame_names.count(name) / len(wrong)
        self.by_frame += any(wrong)
        self.by_verdict += any(each != name for each in seen.names)
        self.right += name in seen.names
        self.unknown += seen.is_unknown
        self.retractions += seen.retractions
        self.thresholds += seen.threshold
        self.looks += [seen.looks_until_name] if seen.looks_until_name else []


def counted(visits: Visits, *, is_enrolled: bool) -> dict[str, Counts]:
    """Counts visits by person."""
    counts: dict[str, Counts] = {}
    for name, each in visits:
        if each.frame_names:
            counts.setdefault(name, Counts()).add(each, name if is_enrolled else "")
    return counts


def sums(
    counts: dict[str, Counts], of: Callable[[Counts], tuple[float, ...]]
) -> list[NDArray[np.float64]]:
    """Returns some counts of n people as arrays, (n,) each."""
    return list(np.array([of(count) for count in counts.values()], float).T)


def mean_threshold(counts: dict[str, Counts]) -> float:
    """Returns the mean of the galleries' thresholds over all visits; NaN without one."""
    visits = sum(count.visits for count in counts.values())
    return sum(count.thresholds for count in counts.values()) / visits if visits else math.nan


def share(hits: NDArray[np.float64], visits: NDArray[np.float64]) -> str:
    """Returns a share in percent, with the interval over people."""
    low, high = bootstrap_share(hits, visits)
    return f"{100 * hits.sum() / visits.sum():.2f} ({Interval(100 * low, 100 * high):.1f})"
