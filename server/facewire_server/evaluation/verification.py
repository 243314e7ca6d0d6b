"""One against one: false matches and false non-matches at the threshold in force, for all and for each group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.histograms import Histogram
from facewire_server.evaluation.intervals import (
    AllAgainstAll,
    Counts,
    OfPairs,
    OfPeople,
    Rate,
    rate,
)
from facewire_server.evaluation.labels import LabeledPair
from facewire_server.evaluation.samples import Samples
from facewire_server.evaluation.worst_pairs import Compared, WorstPairs

__all__ = ["OneToOne", "Thresholds", "Verification", "verify"]

_ROWS: Final = 256
"""Pictures that are compared with all others at a time: 13,000 pictures take 40 MB. Chosen, not measured."""


class Thresholds(NamedTuple):
    """Of a comparison.

    Attributes:
        usual: lowest similarity of the same person.
        if_both_blurred: the same, if both faces are less sharp than `min_directional_sharpness`.
    """

    usual: float
    if_both_blurred: float
    min_directional_sharpness: float


@dataclass(slots=True, eq=False)
class Verification:
    """The result of one scope: all pictures, or those of a group.

    Attributes:
        mated, non_mated: similarities; of two blurred faces less by what their threshold lies above the usual one.
        fmr: of the non-mated comparisons; a pair with a face that cannot be compared is none.
        fnmr: of the mated pairs; one with a face that was not found, or is too poor, is missed.
    """

    mated: Histogram = field(default_factory=Histogram)
    non_mated: Histogram = field(default_factory=Histogram)
    fmr: Rate | None = None
    fnmr: Rate | None = None


class OneToOne(NamedTuple):
    """The results of all scopes, "" first, and the worst errors."""

    scopes: dict[str, Verification]
    false_matches: list[Compared]
    false_non_matches: list[Compared]


class _Block(NamedTuple):
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    similarity: NDArray[np.float32]
    is_mated: NDArray[np.bool_]
    group: NDArray[np.intp]


class _Tally:
    """What one scope gathers before its rates can be computed."""

    def __init__(self, people: int) -> None:
        self.result = Verification()
        self.matches: list[NDArray[np.intp]] = []
        self.misses = np.zeros(people, np.int64)
        self.mated_looks = np.zeros(people, np.int64)
        self.non_mated: list[NDArray[np.intp]] = []

    def add(
        self, block: _Block, person: NDArray[np.intp], threshold: float, keeps_pairs: bool
    ) -> None:
        mated, similarity = block.is_mated, block.similarity
        self.result.mated.add(similarity[mated])
        self.result.non_mated.add(similarity[~mated])
        one = person[block.first[mated]]
        np.add.at(self.mated_looks, one, 1)
        np.add.at(self.misses, one[similarity[mated] < threshold], 1)
        ends = np.stack([person[block.first[~mated]], person[block.second[~mated]]])
        self.matches.append(ends[:, similarity[~mated] >= threshold])
        if keeps_pairs:
            self.non_mated.append(ends)

    def fail(self, people: NDArray[np.intp], counts: NDArray[np.int64]) -> None:
        """Counts mated pairs that could not be compared."""
        np.add.at(self.misses, people, counts)
        np.add.at(self.mated_looks, people, counts)
        self.result.mated.failures += int(counts.sum())

    def finished(self, looks: Counts | None, draws: NDArray[np.float32]) -> Verification:
        result = self.result
        result.fnmr = rate(OfPeople(self.misses), OfPeople(self.mated_looks), draws)
        result.fmr = rate(_of_pairs(self.matches), looks or _of_pairs(self.non_mated), draws)
        return result


def verify(
    samples: Samples,
    pairs: Sequence[LabeledPair] | None,
    thresholds: Thresholds,
    draws: NDArray[np.float32],
) -> OneToOne:
    """Compares the pairs, or each picture with each other.

    Args:
        samples: of which faces that may be compared are.
        pairs: of rows; None = all. Of a group are pairs with its name, or of two of its people.
        thresholds: in force.
        draws: of `samples.people`, see `drawn_people`.
    """
    tallies = {name: _Tally(len(samples.people)) for name in ("", *_groups(samples, pairs))}
    names = list(tallies)[1:]
    matches, misses = WorstPairs(-1.0), WorstPairs(1.0)
    blocks = _all_blocks(samples) if pairs is None else iter([_pair_block(samples, pairs, names)])
    for each in blocks:
        block = each._replace(similarity=_lowered(each, samples, thresholds))
        for name, tally in tallies.items():
            part = block if not name else _part(block, block.group == names.index(name))
            tally.add(part, samples.person, thresholds.usual, keeps_pairs=pairs is not None)
        matches.offer(*_part(block, ~block.is_mated & (block.similarity >= thresholds.usual))[:3])
        misses.offer(*_part(block, block.is_mated & (block.similarity < thresholds.usual))[:3])
    looks: dict[str, Counts] = {}
    for name, tally in tallies.items():
        if pairs is None:
            is_in = (
                np.ones(len(samples), np.bool_) if not name else samples.group == names.index(name)
            )
            looks[name] = AllAgainstAll(_per_person(samples, samples.is_compared & is_in))
            usable, compared = (
                _per_person(samples, each & is_in)
                for each in (samples.is_usable, samples.is_compared)
            )
            tally.fail(np.arange(len(usable)), _two_of(usable) - _two_of(compared))
        else:
            _fail_pairs(tally, samples, [one for one in pairs if name in ("", one.group)])
    scopes = {name: tally.finished(looks.get(name), draws) for name, tally in tallies.items()}
    return OneToOne(scopes, matches.listed(), misses.listed())


def _groups(samples: Samples, pairs: Sequence[LabeledPair] | None) -> tuple[str, ...]:
    return samples.groups if pairs is None else tuple(sorted({pair.group for pair in pairs} - {""}))


def _all_blocks(samples: Samples) -> Iterator[_Block]:
    rows = np.flatnonzero(samples.is_compared)
    vectors, person, group = samples.templates[rows], samples.person[rows], samples.group[rows]
    for start in range(0, len(rows), _ROWS):
        similarity = vectors[start : start + _ROWS] @ vectors[start:].T
        first, second = np.triu_indices(len(similarity), k=1, m=similarity.shape[1])
        one, other = first + start, second + start
        yield _Block(
            rows[one],
            rows[other],
            similarity[first, second],
            person[one] == person[other],
            np.where(group[one] == group[other], group[one], -1),
        )


def _pair_block(samples: Samples, pairs: Sequence[LabeledPair], names: Sequence[str]) -> _Block:
    good = [pair for pair in pairs if samples.is_compared[[pair.first, pair.second]].all()]
    first = np.array([pair.first for pair in good], np.intp)
    second = np.array([pair.second for pair in good], np.intp)
    places = {name: place for place, name in enumerate(names)}
    return _Block(
        first,
        second,
        (samples.templates[first] * samples.templates[second]).sum(axis=1),
        np.array([pair.is_mated for pair in good], np.bool_),
        np.array([places.get(pair.group, -1) for pair in good], np.intp),
    )


def _lowered(block: _Block, samples: Samples, thresholds: Thresholds) -> NDArray[np.float32]:
    """Returns similarities that compare with the usual threshold as the real ones do with that of each pair."""
    is_blurred = np.array(
        [
            row.acquired is not None
            and row.acquired.quality.directional_sharpness < thresholds.min_directional_sharpness
            for row in samples.rows
        ]
    )
    both = is_blurred[block.first] & is_blurred[block.second]
    raised = np.float32(thresholds.if_both_blurred - thresholds.usual)
    return np.asarray(block.similarity - both * raised, np.float32)


def _part(block: _Block, chosen: NDArray[np.bool_]) -> _Block:
    first, second, similarity, is_mated, group = block
    return _Block(
        first[chosen], second[chosen], similarity[chosen], is_mated[chosen], group[chosen]
    )


def _fail_pairs(tally: _Tally, samples: Samples, pairs: Sequence[LabeledPair]) -> None:
    failed = [
        samples.person[pair.first]
        for pair in pairs
        if pair.is_mated
        and samples.is_usable[[pair.first, pair.second]].all()
        and not samples.is_compared[[pair.first, pair.second]].all()
    ]
    tally.fail(np.array(failed, np.intp), np.ones(len(failed), np.int64))


def _per_person(samples: Samples, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.bincount(samples.person[chosen], minlength=len(samples.people)).astype(np.int64)


def _two_of(count: NDArray[np.int64]) -> NDArray[np.int64]:
    return count * (count - 1) // 2


def _of_pairs(ends: Sequence[NDArray[np.intp]]) -> OfPairs:
    both = np.sort(np.concatenate([*ends, np.empty((2, 0), np.intp)], axis=1), axis=0)
    (first, second), counts = np.unique(both, axis=1, return_counts=True)
    return OfPairs(first, second, counts.astype(np.int64))
