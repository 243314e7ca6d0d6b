"""An unknown visit, and the person whom several of them show."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.journal import Crop

__all__ = ["MAX_PICTURES", "MAX_VISITS", "UnknownPerson", "UnknownVisit"]

MAX_VISITS: Final = 100
"""Visits kept of one person: the oldest one makes room. Chosen, not measured: each takes 600 bytes, and all are read to
compare a new one."""

MAX_PICTURES: Final = 5
"""Visits of a person whose picture is kept: more templates of one person gain little, and each picture takes some 30 KB. Chosen, not
measured."""


@dataclass(frozen=True, slots=True, eq=False)
class UnknownVisit:
    """A visit of a person whom a verdict has confirmed as unknown, and never named.

    Attributes:
        gallery_id: that was searched.
        camera_id: chosen by the client, "" if it has none.
        track_id, visit_id: of the track; of several of one visit, the last one's.
        first_seen_us, last_seen_us: microseconds since 1970-01-01 UTC.
        looks_mean: (d,) float32, the mean of the looks' embeddings, not of unit length: its product with that of another
            visit is the mean similarity of their looks.
        picture: the best one; None = none is kept.
    """

    gallery_id: str
    camera_id: str
    track_id: int
    visit_id: int
    first_seen_us: int
    last_seen_us: int
    looks_mean: NDArray[np.float32]
    picture: Crop | None = None

    @property
    def picture_px(self) -> float:
        """Distance of the eyes in the picture; 0 without one."""
        return self.picture.quality.inter_eye_px if self.picture else 0.0

    def continued(self, later: "UnknownVisit") -> "UnknownVisit":
        """Returns this visit with another track of it, or with more of the same one."""
        best = max((later, self), key=lambda visit: visit.picture_px)
        return replace(
            later,
            first_seen_us=min(self.first_seen_us, later.first_seen_us),
            last_seen_us=max(self.last_seen_us, later.last_seen_us),
            picture=best.picture,
        )


@dataclass(frozen=True, eq=False)
class UnknownPerson:
    """The visits that show the same face.

    Attributes:
        unknown_id: the track of the first visit when it was grouped; no other person has it.
        visits: one or more, in the order in which they were added.
    """

    unknown_id: int
    visits: tuple[UnknownVisit, ...]

    @property
    def gallery_id(self) -> str:
        """The gallery that did not know the person."""
        return self.visits[0].gallery_id

    @property
    def first_seen_us(self) -> int:
        """When the first of the kept visits began."""
        return min(visit.first_seen_us for visit in self.visits)

    @property
    def last_seen_us(self) -> int:
        """When the last of the kept visits ended."""
        return max(visit.last_seen_us for visit in self.visits)

    @property
    def camera_ids(self) -> tuple[str, ...]:
        """The cameras of the kept visits, in order of their ids."""
        return tuple(sorted({visit.camera_id for visit in self.visits}))

    @property
    def pictures(self) -> tuple[UnknownVisit, ...]:
        """The visits with a picture, best first."""
        having = [visit for visit in self.visits if visit.picture]
        return tuple(sorted(having, key=lambda visit: -visit.picture_px))

    @cached_property
    def looks_mean(self) -> NDArray[np.float32]:
        """(d,) float32, the mean of the visits' means, not of unit length: each visit counts alike."""
        mean = np.mean([visit.looks_mean for visit in self.visits], axis=0, dtype=np.float64)
        return np.asarray(mean, np.float32)

    def with_visit(self, visit: UnknownVisit) -> "UnknownPerson":
        """Returns the person with one visit more; one of the same `visit_id` is continued by it."""
        before = [one for one in self.visits if one.visit_id == visit.visit_id]
        others = [one for one in self.visits if one.visit_id != visit.visit_id]
        for one in before:
            visit = one.continued(visit)
        return self._of([*others, visit][-MAX_VISITS:])

    def within(self, kept_us: range) -> "UnknownPerson | None":
        """Returns the person with the visits that ended within a time, microseconds since 1970; None if none did."""
        kept = [visit for visit in self.visits if visit.last_seen_us in kept_us]
        return self._of(kept) if kept else None

    def _of(self, visits: list[UnknownVisit]) -> "UnknownPerson":
        """Returns the person of these visits, with the best pictures only."""
        best = set(map(id, UnknownPerson(0, tuple(visits)).pictures[:MAX_PICTURES]))
        kept = [one if id(one) in best else replace(one, picture=None) for one in visits]
        return UnknownPerson(self.unknown_id, tuple(kept))
