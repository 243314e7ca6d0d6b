"""Galleries of 10,000 and 100,000 for the measurement `open_set`: real people among mixtures of two real people each.

A mixture is a direction between two people's templates, with the square roots of Dirichlet weights. A Gaussian that is fitted to real
embeddings has a tail that is far too short. The report compares the mixtures' false matches with the calibration's, and their m and s among one another with
those to looks, which a threshold should have. All mixtures of one person match a look that resembles this person: there are fewer false names than matches. Half of the people are mixed, and neither look nor are enrolled as themselves.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.open_set_looks import Measured, Tally
from bench.open_set_tables import cell
from bench.report import Report, progress
from facewire_server.evaluation.samples import Samples
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.thresholds import NO_PAIRS, Calibration, GalleryPairs, gallery_rule

__all__ = ["Crowd", "measured_among"]

_ENROLLED: Final = 80
"""Real people among the mixtures: who has two pictures and is not mixed."""

_TAIL: Final = (0.4, 0.45, 0.5, 0.55)
"""Similarities at which the mixtures are compared with real people; no threshold of such a gallery is lower."""

_CALIBRATED: Final = "calibrated "

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
    sizes: Sequence[int],
    wanted: Sequence[float],
    count: int,
    draws: NDArray[np.float32],
) -> dict[str, dict[str, Measured]]:
    """Reports what the rule does in `count` galleries of each size, for each wanted rate, and the mixtures' tail.

    Returns:
        The results of each size and policy.
    """
    results: dict[str, dict[str, Measured]] = {}
    lines = []
    for size in sizes:
        found = _Found(len(samples.people), wanted)
        for number in progress(range(count), f"{size:,} people", count):
            _gallery(samples, calibration, size, found, np.random.default_rng(number))
        name = f"crowd {size:,}, 1"
        results[name] = {policy: each.measured(draws) for policy, each in found.tallies.items()}
        for policy, measured in results[name].items():
            of_look, of_name = found.matches[policy] / found.looks, 0.0
            if measured.fpir.hits:
                of_name = found.matches[policy] / measured.fpir.hits
            cells = (cell(measured.fpir), cell(measured.fnir), f"{of_look:.3%}", f"{of_name:.1f}")
            lines.append((name, policy, f"{measured.threshold:.3f}", *cells))
            report.values[f"{name}, {policy}"] = lines[-1]
        own, to_looks = np.mean(found.own, axis=0), np.mean(found.to_looks, axis=0)
        report.values[f"{name}, m and s"] = [*own, *to_looks]
        report.note(
            f"{size:,} mixtures: m {own[0]:.3f}, s {own[1]:.3f} of one another; {to_looks[0]:.3f}, {to_looks[1]:.3f} of looks at "
            f"other people (calibration: {calibration.mean:.3f}, {calibration.spread:.3f})"
        )
        report.table(
            f"{size:,} mixtures: false match rates, and those of real people by the calibration",
            ["similarity", "mixtures", "real"],
            [
                (
                    f"{each:.2f}",
                    f"{hits / found.compared:.2g}",
                    f"{calibration.fmr_at(each).value:.2g}",
                )
                for each, hits in zip(_TAIL, found.tail.tolist(), strict=True)
            ],
        )
    report.table(
        "among mixtures: by the gallery's own pairs, and by the calibration alone; FPIR and FNIR in %",
        [
            *("people, pictures", "m and s, wanted", "threshold", "FPIR", "FNIR"),
            *("mixtures that match a look at a stranger", "÷ false names"),
        ],
        lines,
    )
    return results


class _Found:
    """What was found in all galleries of one size.

    Attributes:
        tallies: of each policy.
        matches: of each policy the mixtures that looks at strangers match.
        looks: at strangers.
        tail, compared: comparisons with mixtures that reach each of `_TAIL`; all comparisons.
        own, to_looks: m and s of each gallery: of mixtures among one another, and of looks to them.
    """

    def __init__(self, people: int, wanted: Sequence[float]) -> None:
        policies = [f"{kind}{rate}" for rate in wanted for kind in ("", _CALIBRATED)]
        self.tallies = {policy: Tally(people) for policy in policies}
        self.matches = dict.fromkeys(policies, 0)
        self.looks = 0
        self.tail = np.zeros(len(_TAIL), np.int64)
        self.compared = 0
        self.own: list[tuple[float, float]] = []
        self.to_looks: list[tuple[float, float]] = []


def _gallery(
    samples: Samples,
    calibration: Calibration,
    size: int,
    found: _Found,
    generator: np.random.Generator,
) -> None:
    """Lets everyone look who is not mixed."""
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
    probes, person = samples.probes[rows], samples.person[rows]
    is_mate = np.isin(person, enrolled)
    is_stranger = ~is_mate & samples.is_searched[rows]
    pairs = crowd.pairs()
    thresholds = {
        policy: gallery_rule(
            calibration,
            float(policy.removeprefix(_CALIBRATED)),
            size,
            NO_PAIRS if policy.startswith(_CALIBRATED) else pairs,
        ).threshold
        for policy in found.tallies
    }
    to_real = probes @ samples.templates[used].T
    best, named = to_real.max(axis=1), enrolled[to_real.argmax(axis=1)]
    for mixtures, main in crowd.chunks():
        similarities = probes @ mixtures.T
        looks, which = np.nonzero(similarities >= _TAIL[0])
        high = similarities[looks, which]
        found.compared += similarities.size
        found.tail += [(high >= each).sum() for each in _TAIL]
        of_strangers = high[is_stranger[looks]]
        for policy, threshold in thresholds.items():
            found.matches[policy] += int((of_strangers >= threshold).sum())
        nearest = similarities.argmax(axis=1)
        values = similarities[np.arange(len(rows)), nearest]
        named = np.where(values > best, main[nearest], named)
        best = np.maximum(values, best)
    found.looks += int(is_stranger.sum())
    found.own.append((pairs.mean, pairs.spread))
    # Those of the last chunk suffice: millions of comparisons.
    found.to_looks.append((float(similarities.mean()), float(similarities.std())))
    for policy, threshold in thresholds.items():
        found.tallies[policy].add(
            threshold, person, named, best, samples.is_searched[rows], is_mate
        )
