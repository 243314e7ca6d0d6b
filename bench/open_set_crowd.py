"""A gallery of 100,000 for the measurement `open_set`: real people among mixtures of two real people each.

A mixture is a direction between two people's templates, with the square roots of Dirichlet weights. A Gaussian that is fitted to real
embeddings has a tail that is far too short. The report compares the mixtures' false matches with the calibration's. Half of the people are mixed, and neither look nor are enrolled as themselves.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.open_set_looks import Measured, Tally
from bench.report import Report, progress
from facewire_server.evaluation.samples import Samples
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.thresholds import Calibration, GalleryPairs, gallery_rule

__all__ = ["Crowd", "measured_among"]

_ENROLLED: Final = 80
"""Real people among the mixtures: who has two pictures and is not mixed."""

_TAIL: Final = (0.4, 0.45, 0.5, 0.55)
"""Similarities at which the mixtures are compared with real people."""

_CHUNK: Final = 8192
"""Mixtures at a time: with 2,000 looks 64 MiB of similarities."""


class Crowd:
    """Mixtures of two of some people, always the same ones, chunk by chunk."""

    def __init__(self, templates: NDArray[np.float32], people: NDArray[np.intp], size: int) -> None:
        """Takes a template of each of the people who are mixed, their places, and the number of mixtures."""
        self._templates = templates
        self._people = people
        self.size = size

    def chunks(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.intp]]]:
        """Yields mixtures, (n, d) float32 of unit length, and the place of the person that each has most of."""
        generator = np.random.default_rng(self.size)
        for start in range(0, self.size, _CHUNK):
            count = min(_CHUNK, self.size - start)
            first = generator.integers(0, len(self._people), count)
            second = generator.integers(0, len(self._people) - 1, count)
            second += second >= first
            mixed, is_first = self._mixed(first, second, generator)
            yield mixed, self._people[np.where(is_first, first, second)]

    def pairs(self) -> GalleryPairs:
        """Returns how much they resemble one another: of mixtures without a common person, since no two people have one."""
        generator = np.random.default_rng(self.size)
        half = len(self._people) // 2
        order = generator.permutation(len(self._people))
        mixed, _ = self._mixed(order[:half], order[half : 2 * half], generator)
        return gallery_pairs(mixed, np.arange(half), mixed, np.arange(half))

    def _mixed(
        self, first: NDArray[np.intp], second: NDArray[np.intp], generator: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Returns mixtures, and of which there is more of the first."""
        weight = np.sqrt(generator.dirichlet((1.0, 1.0), len(first))).astype(np.float32)
        mixed = weight[:, :1] * self._templates[first] + weight[:, 1:] * self._templates[second]
        mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
        return mixed, weight[:, 0] >= weight[:, 1]


def measured_among(
    report: Report,
    samples: Samples,
    calibration: Calibration,
    size: int,
    wanted: tuple[float, ...],
    count: int,
    draws: NDArray[np.float32],
) -> dict[str, Measured]:
    """Returns what the rule does in galleries of this size, `count` of them, for each wanted rate, and reports the mixtures' tail."""
    tallies = {str(rate): Tally(len(samples.people)) for rate in wanted}
    reached = np.zeros(1 + len(_TAIL), np.int64)
    for number in progress(range(count), f"{size:,} people", count):
        reached += _gallery(samples, calibration, size, tallies, np.random.default_rng(number))
    report.table(
        "false match rates of mixtures, and of real people by the calibration",
        ["similarity", "mixtures", "real"],
        [
            (f"{each:.2f}", f"{hits / reached[0]:.2g}", f"{calibration.fmr_at(each).value:.2g}")
            for each, hits in zip(_TAIL, reached[1:].tolist(), strict=True)
        ],
    )
    return {name: tally.measured(draws) for name, tally in tallies.items()}


def _gallery(
    samples: Samples,
    calibration: Calibration,
    size: int,
    tallies: dict[str, Tally],
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Lets everyone look who is not mixed; returns the number of comparisons with mixtures, and how many reach each of `_TAIL`."""
    enrollable = np.flatnonzero(samples.is_enrolled)
    shuffled = generator.permutation(enrollable)
    people, at = np.unique(samples.person[shuffled], return_index=True)
    template_of = dict(zip(people.tolist(), shuffled[at].tolist(), strict=True))
    looking = np.bincount(samples.person[samples.is_usable], minlength=len(samples.people))
    order = generator.permutation(people)
    mixed, others = order[: len(order) // 2], order[len(order) // 2 :]
    enrolled = others[looking[others] > 1][:_ENROLLED]
    used = np.array([template_of[person] for person in enrolled.tolist()], np.intp)
    crowd = Crowd(
        samples.templates[[template_of[person] for person in mixed.tolist()]],
        mixed,
        size - len(enrolled),
    )
    takes_part = samples.is_usable & ~np.isin(samples.person, mixed)
    takes_part[used] = False
    rows = np.flatnonzero(takes_part)
    probes = samples.probes[rows]
    to_real = probes @ samples.templates[used].T
    best, named = to_real.max(axis=1), enrolled[to_real.argmax(axis=1)]
    reached = np.zeros(1 + len(_TAIL), np.int64)
    for mixtures, main in crowd.chunks():
        similarities = probes @ mixtures.T
        reached += [similarities.size, *((similarities >= each).sum() for each in _TAIL)]
        nearest = similarities.argmax(axis=1)
        values = similarities[np.arange(len(rows)), nearest]
        named = np.where(values > best, main[nearest], named)
        best = np.maximum(values, best)
    person = samples.person[rows]
    is_mate = np.isin(person, enrolled)
    pairs = crowd.pairs()
    for rate, tally in tallies.items():
        threshold = gallery_rule(calibration, float(rate), size, pairs).threshold
        tally.add(threshold, person, named, best, samples.is_searched[rows], is_mate)
    return reached
