"""The labeled pictures after the line: which faces could be enrolled, compared and searched for, and why the others could not."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.labels import LabeledPicture
from facewire_server.pipeline.acquire import Acquired
from facewire_server.pipeline.gate import Examined, Gate

__all__ = ["Failure", "Gates", "Sample", "Samples", "examined"]


class Failure(Enum):
    """Why a picture led to no face."""

    MISSING = "the file is missing"
    UNREADABLE = "the picture cannot be read"
    REPEATED = "the same picture of this person came before"
    NO_FACE = "no face was found"
    SEVERAL_FACES = "several faces were found"


@dataclass(frozen=True, slots=True)
class Gates:
    """What faces must reach: to be searched for or compared, and to be enrolled."""

    probe: Gate
    enrollment: Gate


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A labeled picture, and what the line made of it.

    Attributes:
        picture: with its label.
        acquired: the labeled face; None = none.
        failure: why there is none; None = there is one.
        detail: of a failure: what was wrong with the file, or the number of faces.
        searched, compared, enrolled: the face after the gate of each purpose; None = no face.
    """

    picture: LabeledPicture
    acquired: Acquired | None
    failure: Failure | None
    detail: str = ""
    searched: Examined | None = None
    compared: Examined | None = None
    enrolled: Examined | None = None

    @property
    def is_usable(self) -> bool:
        """Whether the picture says something about the system: it is there, readable, and no copy."""
        return self.failure not in (Failure.MISSING, Failure.UNREADABLE, Failure.REPEATED)


def examined(picture: LabeledPicture, answer: Acquired | int, gates: Gates) -> Sample:
    """Passes a face through the gates, as recognizing, comparing and enrolling do."""
    if isinstance(answer, int):
        failure = Failure.SEVERAL_FACES if answer else Failure.NO_FACE
        return Sample(picture, None, failure, f"{answer} faces")

    def through(gate: Gate, embedding: NDArray[np.float32], eyes: float | None = None) -> Examined:
        return gate.examine(
            answer.quality, norm=answer.norm, embedding=embedding, eye_brightness=eyes
        )

    return Sample(
        picture,
        answer,
        None,
        searched=through(gates.probe, answer.probe),
        compared=through(gates.probe, answer.template),
        enrolled=through(gates.enrollment, answer.template, answer.eye_brightness),
    )


class Samples:
    """n samples as arrays.

    Attributes:
        rows: the samples.
        people, groups: the names of both, sorted; pictures of no person are of person -1, and without a group of group -1.
    """

    def __init__(self, rows: Sequence[Sample], dimension: int) -> None:
        """Takes the samples, and d, the length of an embedding."""
        self.rows = tuple(rows)
        self.people = tuple(sorted({row.picture.person for row in rows} - {""}))
        self.groups = tuple(
            sorted({row.picture.group for row in rows if row.picture.person} - {""})
        )
        self._dimension = dimension

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def person(self) -> NDArray[np.intp]:
        """(n,): who a picture shows, a place in `people`."""
        places = {name: place for place, name in enumerate(self.people)}
        return np.array([places.get(row.picture.person, -1) for row in self.rows], np.intp)

    @cached_property
    def group(self) -> NDArray[np.intp]:
        """(n,): a place in `groups`."""
        places = {name: place for place, name in enumerate(self.groups)}
        return np.array([places.get(row.picture.group, -1) for row in self.rows], np.intp)

    @cached_property
    def templates(self) -> NDArray[np.float32]:
        """(n, d): as enrolled and compared; zeros without a face."""
        return self._stacked("template")

    @cached_property
    def probes(self) -> NDArray[np.float32]:
        """(n, d): as searched for; zeros without a face."""
        return self._stacked("probe")

    @cached_property
    def is_usable(self) -> NDArray[np.bool_]:
        """(n,): see `Sample.is_usable`; pictures of no person are not."""
        return np.array([row.is_usable and bool(row.picture.person) for row in self.rows], np.bool_)

    @cached_property
    def is_searched(self) -> NDArray[np.bool_]:
        """(n,): the face may be searched for."""
        return self._passed([row.searched for row in self.rows])

    @cached_property
    def is_compared(self) -> NDArray[np.bool_]:
        """(n,): the face may be compared."""
        return self._passed([row.compared for row in self.rows])

    @cached_property
    def is_enrolled(self) -> NDArray[np.bool_]:
        """(n,): the face may be enrolled."""
        return self._passed([row.enrolled for row in self.rows])

    def _passed(self, faces: Sequence[Examined | None]) -> NDArray[np.bool_]:
        passed = [face is not None and not face.quality.faults for face in faces]
        return np.array(passed, np.bool_) & self.is_usable

    def _stacked(self, name: str) -> NDArray[np.float32]:
        nothing = np.zeros(self._dimension, np.float32)
        vectors = [
            nothing if row.acquired is None else getattr(row.acquired, name) for row in self.rows
        ]
        return np.stack(vectors) if vectors else np.zeros((0, self._dimension), np.float32)
