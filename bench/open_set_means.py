"""How similar strangers are to the mean of a person's pictures, beside one of them, for the measurement `open_set`."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.open_set_galleries import ALL, Case, able, drawn_gallery, populations
from bench.report import Report
from facewire_server.evaluation.samples import Samples

__all__ = ["means"]

_PICTURES: Final = (2, 3, 5)
_DRAWS: Final = 20
_FMR: Final = 1e-3

_LEAST_PEOPLE: Final = 10

_DOUBLE: Final = 0.55
"""More similar people may be one: no comparison of these counts, of a mean or of a picture."""


def means(report: Report, samples: Samples) -> None:
    """Prints the mean and spread of similarities to means, divided by those to single pictures of the same people, and the tail in spreads."""
    lines = []
    people = populations(samples)
    for name in (ALL, "LFW"):
        for count in _PICTURES:
            size = len(able(samples, people[name], count))
            if size >= _LEAST_PEOPLE:
                case = Case(f"{name} {size}, {count}", size, count)
                found = _ratios(samples, people[name], case)
                lines.append((case.name, *(f"{one:.3f}" for one in found)))
                report.values[f"means, {case.name}"] = found
    report.table(
        f"means of several pictures ÷ one of them; similarity at FMR {_FMR:g}, in spreads above the mean",
        ["people, pictures", "1 ÷ cohesion", "mean", "spread", "of means", "of one"],
        lines,
    )


def _ratios(samples: Samples, members: NDArray[np.intp], case: Case) -> list[float]:
    generator = np.random.default_rng(case.pictures)
    found = []
    for _ in range(_DRAWS):
        gallery = drawn_gallery(samples, members, case, generator)
        looks = np.flatnonzero(samples.is_searched & np.isin(samples.person, members))
        rows = generator.permutation(looks)
        _, first = np.unique(samples.person[rows], return_index=True)
        probes = rows[first]  # one of each person
        _, one_each = np.unique(gallery.owners, return_index=True)
        of_means, of_one = (
            _described(
                samples.probes[probes] @ vectors.T,
                samples.person[probes][:, None] != gallery.enrolled[owners],
            )
            for vectors, owners in (
                (gallery.held.means, gallery.held.owners),
                (gallery.templates[one_each], gallery.owners[one_each]),
            )
        )
        found.append(
            (
                1 / gallery.held.pairs.cohesion,
                of_means[0] / of_one[0],
                of_means[1] / of_one[1],
                of_means[2],
                of_one[2],
            )
        )
    return [float(one) for one in np.mean(found, axis=0)]


def _described(
    similarities: NDArray[np.float32], is_stranger: NDArray[np.bool_]
) -> tuple[float, float, float]:
    those = similarities[is_stranger & (similarities < _DOUBLE)].astype(np.float64)
    mean, spread = float(those.mean()), float(those.std())
    return mean, spread, (float(np.quantile(those, 1 - _FMR)) - mean) / spread
