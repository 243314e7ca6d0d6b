"""Which pictures led to a face, and which faces could be searched for or enrolled, for all and for each group."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.intervals import OfPeople, Rate, rate
from facewire_server.evaluation.samples import Failure, Sample, Samples
from facewire_server.pipeline.gate import Examined

__all__ = ["Acquisition", "Detection", "acquisition", "detection"]


@dataclass(frozen=True, slots=True, eq=False)
class Acquisition:
    """The result of one scope.

    Attributes:
        pictures: that were named.
        failures: how many led to no face, by why.
        to_acquire: of the usable pictures, those without a face that may be searched for (failure to acquire, ISO/IEC 19795-1).
        to_enroll: of the usable pictures, those that an enrollment refuses (failure to enroll).
        people: with a usable picture.
        people_refused: of these, how many have no picture that may be enrolled.
        not_searched, not_enrolled: faces that were found and refused, by each fault.
    """

    pictures: int
    failures: dict[Failure, int]
    to_acquire: Rate
    to_enroll: Rate
    people: int
    people_refused: int
    not_searched: dict[str, int]
    not_enrolled: dict[str, int]


@dataclass(frozen=True, slots=True)
class Detection:
    """Faces counted where the labels say how many there are.

    Attributes:
        pictures: with such a label, that could be read.
        faces: that they show.
        missed: of these, not found.
        extra: found beyond them, in pictures that show more than none.
        empty_pictures: that show none.
        empty_extra: faces that were found in them.
    """

    pictures: int
    faces: int
    missed: int
    extra: int
    empty_pictures: int
    empty_extra: int


def acquisition(samples: Samples, draws: NDArray[np.float32], group: str = "") -> Acquisition:
    """Counts pictures; `draws` is of `samples.people`, see `drawn_people`, and a group of "" means all."""
    rows = [
        row
        for row in samples.rows
        if row.picture.person and (not group or row.picture.group == group)
    ]
    is_in = samples.is_usable
    if group:
        is_in = is_in & (samples.group == samples.groups.index(group))

    def of(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        counts = np.bincount(samples.person[chosen], minlength=len(samples.people))
        return counts.astype(np.int64)

    usable, enrolled = of(is_in), of(is_in & samples.is_enrolled)
    return Acquisition(
        len(rows),
        dict(Counter(row.failure for row in rows if row.failure is not None)),
        rate(OfPeople(of(is_in & ~samples.is_searched)), OfPeople(usable), draws),
        rate(OfPeople(of(is_in & ~samples.is_enrolled)), OfPeople(usable), draws),
        int((usable > 0).sum()),
        int(((usable > 0) & (enrolled == 0)).sum()),
        _faults([row.searched for row in rows]),
        _faults([row.enrolled for row in rows]),
    )


def detection(samples: Samples) -> Detection | None:
    """Counts faces; returns None if the labels say of no picture how many it shows."""
    stated = [
        (row.picture.face_count, _found(row))
        for row in samples.rows
        if row.picture.face_count is not None
        and row.failure not in (Failure.MISSING, Failure.UNREADABLE, Failure.REPEATED)
    ]
    if not stated:
        return None
    shown = [(each, found) for each, found in stated if each]
    empty = [found for each, found in stated if not each]
    return Detection(
        len(stated),
        sum(each for each, _ in shown),
        sum(max(0, each - found) for each, found in shown),
        sum(max(0, found - each) for each, found in shown),
        len(empty),
        sum(empty),
    )


def _found(row: Sample) -> int:
    if row.acquired is not None:
        return row.acquired.face_count
    return int(row.detail.split()[0]) if row.failure is Failure.SEVERAL_FACES else 0


def _faults(faces: list[Examined | None]) -> dict[str, int]:
    counts = Counter(fault.value for face in faces if face for fault in face.quality.faults)
    return dict(counts.most_common())
